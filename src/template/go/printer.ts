import { fromBytes, toBytes } from './byte-string.ts'
import {
  bitsOf,
  type GoType,
  isComplex,
  isFloat,
  isInteger,
  isUnsigned,
  int64,
  pointerTo,
  structType,
  uint64,
  uint8,
} from './go-type.ts'
import { goSyntaxOf, textOfMethods } from './members.ts'
import { type Flags, noFlags, pad, printFloat, printInteger, printUnicode, runeCount } from './print-number.ts'
import { canBackquote, quote, quoteRune, quoteToAscii } from './quote.ts'
import { sortedKeys } from './sorted-keys.ts'
import {
  floatIn,
  GoBytes,
  GoComplex,
  GoFunc,
  GoMap,
  GoPointer,
  GoSlice,
  GoStruct,
  GoTime,
  type GoValue,
  integer,
  integerIn,
  keyValue,
  textIn,
  typeOf,
  zeroTimeNanos,
} from './value.ts'

/** Addresses are not ours to know; Go's are random. One stands for all that is not nil. */
const someAddress = 0xc000012345n

/** Prints values by one verb each, as Go's package fmt does; the flags are those of the verb at work. */
export class Printer {
  text = ''
  flags: Flags = noFlags()
  /** While a wrong verb is described, String methods are not asked. */
  #erroring = false

  write(text: string): void {
    this.text += text
  }

  /** An operand as given to Printf. */
  printArg(arg: GoValue, verb: string): void {
    if (arg === null) {
      if (verb === 'T' || verb === 'v') this.write(pad('<nil>', this.flags))
      else this.#badVerb(arg, verb)
      return
    }
    if (verb === 'T') return this.#printText(typeOf(arg).name)
    if (verb === 'p') return this.#printPointer(arg, verb)
    this.#printValue(arg, verb, 0)
  }

  /** A value, or one inside of a value (`depth` above 0). */
  #printValue(value: GoValue, verb: string, depth: number): void {
    switch (typeof value) {
      case 'string':
        return this.#printString(value, value, verb)
      case 'boolean':
        return this.#printBool(value, value, verb)
      case 'bigint':
        return this.#printInteger(value, value, verb)
      case 'number':
        return this.#printFloat(value, value, 64, verb)
    }
    // An interface that holds nothing, in a list or map: the verb does not matter.
    if (value === null) return this.write(this.flags.sharpV ? 'interface {}(nil)' : '<nil>')
    if (this.#printByMethods(value, verb)) return
    const { type } = value
    if (isInteger(type.kind)) return this.#printInteger(value, integerIn(value) ?? 0n, verb)
    if (isFloat(type.kind)) return this.#printFloat(value, floatIn(value) ?? 0, bitsOf(type.kind) === 32 ? 32 : 64, verb)
    if (type.kind === 'string') return this.#printString(value, textIn(value) ?? '', verb)
    if (type.kind === 'bool') return this.#printBool(value, 'value' in value && value.value === true, verb)
    if (isComplex(type.kind)) return this.#printComplex(value as GoComplex, verb)
    this.#printComposite(value, verb, depth)
  }

  #printComposite(value: GoValue, verb: string, depth: number): void {
    if (value instanceof GoBytes) return this.#printBytes(value, verb, depth)
    if (value instanceof GoSlice) return this.#printList(value.type, value.items, value.isNil, verb, depth)
    if (value instanceof GoMap) return this.#printMap(value, verb, depth)
    if (value instanceof GoStruct) return this.#printStruct(value, verb, depth)
    if (value instanceof GoTime) return this.#printStruct(timeInside(value), verb, depth)
    if (value instanceof GoPointer && value.target !== null && depth === 0) {
      const target = typeOf(value.target).kind
      if (target === 'struct' || target === 'map' || target === 'slice') {
        this.write('&')
        return this.#printValue(value.target, verb, depth + 1)
      }
    }
    this.#printPointer(value, verb)
  }

  /** `w` is for errors only and not for us. */
  #printByMethods(value: GoValue, verb: string): boolean {
    if (this.#erroring) return false
    if (verb === 'w') {
      // Bytes complain one by one.
      if (value instanceof GoBytes) return false
      this.#badVerb(value, verb)
      return true
    }
    if (!this.flags.sharpV && !'vsxXq'.includes(verb)) return false
    const text = this.flags.sharpV ? goSyntaxOf(value) : textOfMethods(value)
    if (text === undefined) return false
    if (text === '<nil>') this.write(text)
    else if (this.flags.sharpV) this.#printText(text)
    else this.#printString(value, text, verb)
    return true
  }

  #badVerb(value: GoValue, verb: string): void {
    this.write(`%!${verb}(`)
    this.#erroring = true
    if (value === null) this.write('<nil>')
    else {
      this.write(`${typeOf(value).name}=`)
      this.printArg(value, 'v')
    }
    this.#erroring = false
    this.write(')')
  }

  #printBool(value: GoValue, truth: boolean, verb: string): void {
    if (verb === 't' || verb === 'v') this.write(pad(String(truth), this.flags))
    else this.#badVerb(value, verb)
  }

  #printInteger(value: GoValue, size: bigint, verb: string): void {
    const { flags } = this
    switch (verb) {
      case 'v':
        if (flags.sharpV && isUnsigned(typeOf(value).kind)) return this.write(this.#hexadecimal(size, true))
        return this.write(printInteger(size, 10, flags))
      case 'd':
        return this.write(printInteger(size, 10, flags))
      case 'b':
        return this.write(printInteger(size, 2, flags))
      case 'o':
      case 'O':
        return this.write(printInteger(size, 8, flags, { verb }))
      case 'x':
        return this.write(printInteger(size, 16, flags))
      case 'X':
        return this.write(printInteger(size, 16, flags, { upper: true }))
      case 'c':
        return this.write(pad(runeText(size), flags))
      case 'q':
        return this.write(pad(quoteRune(runeText(size).codePointAt(0) ?? 0, flags.plus), flags))
      case 'U':
        return this.write(printUnicode(BigInt.asUintN(64, size), flags))
      default:
        this.#badVerb(value, verb)
    }
  }

  #hexadecimal(size: bigint, leading0x: boolean): string {
    return printInteger(size, 16, { ...this.flags, sharp: leading0x })
  }

  #printFloat(value: GoValue, size: number, bits: 32 | 64, verb: string): void {
    switch (verb) {
      case 'v':
        return this.write(printFloat(size, bits, 'g', -1, this.flags))
      case 'b':
      case 'g':
      case 'G':
      case 'x':
      case 'X':
        return this.write(printFloat(size, bits, verb, -1, this.flags))
      case 'e':
      case 'E':
      case 'f':
        return this.write(printFloat(size, bits, verb, 6, this.flags))
      case 'F':
        return this.write(printFloat(size, bits, 'f', 6, this.flags))
      default:
        this.#badVerb(value, verb)
    }
  }

  #printComplex(value: GoComplex, verb: string): void {
    if (!'vbgGxXfFeE'.includes(verb)) return this.#badVerb(value, verb)
    const bits = value.type.kind === 'complex64' ? 32 : 64
    const plus = this.flags.plus
    this.write('(')
    this.#printFloat(value.re, value.re, bits, verb)
    this.flags.plus = true
    this.#printFloat(value.im, value.im, bits, verb)
    this.write('i)')
    this.flags.plus = plus
  }

  #printString(value: GoValue, text: string, verb: string): void {
    switch (verb) {
      case 'v':
        return this.flags.sharpV ? this.#printQuoted(text) : this.#printText(text)
      case 's':
        return this.#printText(text)
      case 'x':
      case 'X':
        return this.#printHexBytes(toBytes(text), verb)
      case 'q':
        return this.#printQuoted(text)
      default:
        this.#badVerb(value, verb)
    }
  }

  #printText(text: string): void {
    this.write(pad(this.#cut(text), this.flags))
  }

  #printQuoted(text: string): void {
    const shown = this.#cut(text)
    if (this.flags.sharp && canBackquote(shown)) return this.write(pad(`\`${shown}\``, this.flags))
    this.write(pad(this.flags.plus ? quoteToAscii(shown) : quote(shown), this.flags))
  }

  /** The precision of a string counts characters. */
  #cut(text: string): string {
    const { precision } = this.flags
    if (precision === undefined || runeCount(text) <= precision) return text
    return Array.from(text).slice(0, precision).join('')
  }

  #printHexBytes(bytes: Uint8Array, verb: 'x' | 'X'): void {
    const { precision, space, sharp } = this.flags
    const shown = bytes.subarray(0, precision ?? bytes.length)
    const prefix = sharp ? `0${verb}` : ''
    const pairs = Array.from(shown, (byte) => byte.toString(16).padStart(2, '0'))
    let digits = pairs.join(space ? ` ${prefix}` : '')
    if (verb === 'X') digits = digits.toUpperCase()
    this.write(pad(shown.length === 0 ? '' : prefix + digits, this.flags))
  }

  #printBytes(value: GoBytes, verb: string, depth: number): void {
    const { bytes } = value
    switch (verb) {
      case 's':
        return this.#printText(fromBytes(bytes))
      case 'q':
        return this.#printQuoted(fromBytes(bytes))
      case 'x':
      case 'X':
        return this.#printHexBytes(bytes, verb)
    }
    // Only an operand of its own says []byte; inside of others it is []uint8.
    const name = depth === 0 && (verb === 'v' || verb === 'd') ? '[]byte' : value.type.name
    this.#printItems(name, value.isNil, bytes.length, (at) => {
      this.#printByte(BigInt(bytes[at] ?? 0), verb)
    })
  }

  #printByte(byte: bigint, verb: string): void {
    if (this.flags.sharpV) this.write(this.#hexadecimal(byte, true))
    else if (verb === 'v') this.write(printInteger(byte, 10, this.flags))
    else this.#printInteger(byteValue(byte), byte, verb)
  }

  #printList(type: GoType, items: readonly GoValue[], isNil: boolean, verb: string, depth: number): void {
    this.#printItems(type.name, isNil, items.length, (at) => this.#printValue(items[at] ?? null, verb, depth + 1))
  }

  #printItems(name: string, isNil: boolean, count: number, printItem: (at: number) => void): void {
    const { sharpV } = this.flags
    if (sharpV && isNil) return this.write(`${name}(nil)`)
    this.write(sharpV ? `${name}{` : '[')
    for (let at = 0; at < count; at++) {
      if (at > 0) this.write(sharpV ? ', ' : ' ')
      printItem(at)
    }
    this.write(sharpV ? '}' : ']')
  }

  #printMap(map: GoMap, verb: string, depth: number): void {
    const { sharpV } = this.flags
    if (sharpV && map.isNil) return this.write(`${map.type.name}(nil)`)
    this.write(sharpV ? `${map.type.name}{` : 'map[')
    sortedKeys(map).forEach((key, at) => {
      if (at > 0) this.write(sharpV ? ', ' : ' ')
      this.#printValue(keyValue(map, key), verb, depth + 1)
      this.write(':')
      this.#printValue(map.entries.get(key) ?? null, verb, depth + 1)
    })
    this.write(sharpV ? '}' : ']')
  }

  #printStruct(value: GoStruct, verb: string, depth: number): void {
    const { sharpV, plusV } = this.flags
    this.write(sharpV ? `${value.type.name}{` : '{')
    ;(value.type.fields ?? []).forEach((field, at) => {
      if (at > 0) this.write(sharpV ? ', ' : ' ')
      if (plusV || sharpV) this.write(`${field.name}:`)
      this.#printValue(value.values[at] ?? null, verb, depth + 1)
    })
    this.write('}')
  }

  /** Pointers and functions; of other values `%p` takes maps and slices too. */
  #printPointer(value: GoValue, verb: string): void {
    const address = addressOf(value)
    if (address === undefined) return this.#badVerb(value, verb)
    switch (verb) {
      case 'v':
        if (this.flags.sharpV) {
          return this.write(`(${typeOf(value).name})(${address === 0n ? 'nil' : this.#hexadecimal(address, true)})`)
        }
        return this.write(address === 0n ? pad('<nil>', this.flags) : this.#hexadecimal(address, !this.flags.sharp))
      case 'p':
        return this.write(this.#hexadecimal(address, !this.flags.sharp))
      case 'b':
      case 'o':
      case 'd':
      case 'x':
      case 'X':
        return this.#printInteger(value, address, verb)
      default:
        this.#badVerb(value, verb)
    }
  }
}

function addressOf(value: GoValue): bigint | undefined {
  if (value instanceof GoPointer) return value.target === null ? 0n : someAddress
  if (value instanceof GoFunc) return someAddress
  if (value instanceof GoMap || value instanceof GoSlice || value instanceof GoBytes) return value.isNil ? 0n : someAddress
  return undefined
}

function runeText(size: bigint): string {
  const code = BigInt.asUintN(64, size)
  return code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn) ? '\ufffd' : String.fromCodePoint(Number(code))
}

function byteValue(byte: bigint): GoValue {
  return integer(uint8, byte)
}

const locationPointer = pointerTo({ kind: 'struct', name: 'time.Location', defined: true })
const insideOfTime = structType('time.Time', [
  { name: 'wall', type: uint64 },
  { name: 'ext', type: int64 },
  { name: 'loc', type: locationPointer },
])

/** The private fields of a time.Time, which verbs for numbers get to see: nanoseconds, seconds since year 1, location. */
function timeInside(time: GoTime): GoStruct {
  const since = time.unixNanos - zeroTimeNanos
  const nanos = ((since % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const location = new GoPointer(locationPointer, time.zone.name === 'UTC' ? null : time.zone.name)
  return new GoStruct(insideOfTime, [integer(uint64, nanos), integer(int64, (since - nanos) / 1_000_000_000n), location])
}
