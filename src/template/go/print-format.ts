import { noFlags } from './print-number.ts'
import { Printer } from './printer.ts'
import { type GoValue, integerIn, typeOf } from './value.ts'

/** Printf: walks the format and prints an operand for each verb. What is wrong is said in the output, as in Go. */
export function printFormatted(format: string, args: readonly GoValue[]): string {
  const walk = new FormatWalk(format, args)
  walk.run()
  return walk.printer.text
}

/** Widths and indexes beyond this count as mistakes. */
const most = 1_000_000

class FormatWalk {
  readonly printer = new Printer()
  readonly #format: string
  readonly #args: readonly GoValue[]
  #at = 0
  #next = 0
  /** An explicit index was used, so operands left over are no mistake. */
  #reordered = false
  #goodIndex = true
  /** The last thing read was an index like [3]. */
  #afterIndex = false

  constructor(format: string, args: readonly GoValue[]) {
    this.#format = format
    this.#args = args
  }

  run(): void {
    while (this.#at < this.#format.length) {
      const percent = this.#format.indexOf('%', this.#at)
      const end = percent < 0 ? this.#format.length : percent
      this.printer.write(this.#format.slice(this.#at, end))
      this.#at = end + 1
      if (percent >= 0) this.#printVerb()
    }
    this.#printExtra()
  }

  #printVerb(): void {
    this.printer.flags = noFlags()
    this.#goodIndex = true
    this.#afterIndex = false
    this.#readFlags()
    const simple = this.#char()
    if (simple >= 'a' && simple <= 'z' && this.#next < this.#args.length) {
      this.#at++
      return this.#printOperand(simple)
    }
    this.#readIndex()
    this.#readWidth()
    this.#readPrecision()
    if (!this.#afterIndex) this.#readIndex()
    if (this.#at >= this.#format.length) return this.printer.write('%!(NOVERB)')
    this.#printReadVerb()
  }

  #printReadVerb(): void {
    const code = this.#format.codePointAt(this.#at) ?? 0
    const width = code > 0xffff ? 2 : 1
    const verb = code >= 0xd800 && code <= 0xdfff ? '\ufffd' : String.fromCodePoint(code)
    this.#at += width
    if (verb === '%') this.printer.write('%')
    else if (!this.#goodIndex) this.printer.write(`%!${verb}(BADINDEX)`)
    else if (this.#next >= this.#args.length) this.printer.write(`%!${verb}(MISSING)`)
    else this.#printOperand(verb)
  }

  #printOperand(verb: string): void {
    const { flags } = this.printer
    if (verb === 'v' || verb === 'w') {
      flags.sharpV = flags.sharp
      flags.sharp = false
      flags.plusV = flags.plus
      flags.plus = false
    }
    this.printer.printArg(this.#args[this.#next] ?? null, verb)
    this.#next++
  }

  #readFlags(): void {
    const { flags } = this.printer
    for (; this.#at < this.#format.length; this.#at++) {
      switch (this.#char()) {
        case '#':
          flags.sharp = true
          break
        case '0':
          flags.zero = true
          break
        case '+':
          flags.plus = true
          break
        case '-':
          flags.minus = true
          break
        case ' ':
          flags.space = true
          break
        default:
          return
      }
    }
  }

  #readWidth(): void {
    const { flags } = this.printer
    if (this.#char() === '*') {
      this.#at++
      const width = this.#integerOperand()
      if (width === undefined) this.printer.write('%!(BADWIDTH)')
      else if (width < 0) {
        flags.minus = true
        flags.zero = false
      }
      flags.width = width === undefined ? undefined : Math.abs(width)
      this.#afterIndex = false
      return
    }
    flags.width = this.#readNumber()
    if (this.#afterIndex && flags.width !== undefined) this.#goodIndex = false
  }

  #readPrecision(): void {
    if (this.#char() !== '.' || this.#at + 1 >= this.#format.length) return
    this.#at++
    if (this.#afterIndex) this.#goodIndex = false
    this.#readIndex()
    const { flags } = this.printer
    if (this.#char() !== '*') {
      flags.precision = this.#readNumber() ?? 0
      return
    }
    this.#at++
    const precision = this.#integerOperand()
    flags.precision = precision === undefined || precision < 0 ? undefined : precision
    if (flags.precision === undefined) this.printer.write('%!(BADPREC)')
    this.#afterIndex = false
  }

  /** `[3]`: the operand to take next. */
  #readIndex(): void {
    this.#afterIndex = false
    if (this.#char() !== '[') return
    this.#reordered = true
    const end = this.#format.indexOf(']', this.#at)
    if (end < 0 || this.#format.length - this.#at < 3) {
      this.#goodIndex = false
      this.#at++
      return
    }
    const digits = this.#format.slice(this.#at + 1, end)
    this.#at = end + 1
    const index = /^\d+$/.test(digits) && Number(digits) <= most * 10 ? Number(digits) - 1 : undefined
    this.#afterIndex = index !== undefined
    if (index === undefined || index < 0 || index >= this.#args.length) this.#goodIndex = false
    else this.#next = index
  }

  #readNumber(): number | undefined {
    const digits = /^\d+/.exec(this.#format.slice(this.#at, this.#at + 12))?.[0]
    if (digits === undefined) return undefined
    if (Number(digits) > most * 10) {
      // Too long to be meant: the rest of the format is given up, as in Go.
      this.#at = this.#format.length
      return undefined
    }
    this.#at += digits.length
    return Number(digits)
  }

  #integerOperand(): number | undefined {
    if (this.#next >= this.#args.length) return undefined
    const value = integerIn(this.#args[this.#next] ?? null)
    this.#next++
    return value === undefined || value > most || value < -most ? undefined : Number(value)
  }

  #printExtra(): void {
    if (this.#reordered || this.#next >= this.#args.length) return
    this.printer.flags = noFlags()
    this.printer.write('%!(EXTRA ')
    this.#args.slice(this.#next).forEach((arg, at) => {
      if (at > 0) this.printer.write(', ')
      if (arg !== null) this.printer.write(`${typeOf(arg).name}=`)
      this.printer.printArg(arg, 'v')
    })
    this.printer.write(')')
  }

  #char(): string {
    return this.#format[this.#at] ?? ''
  }
}
