import { canonical } from './byte-string.ts'
import { Printer } from './printer.ts'
import { printFormatted } from './print-format.ts'
import { type GoValue, typeOf } from './value.ts'

/** `fmt.Sprint(v)` of one value: what `%v` prints, strings as they are, nil as `<nil>`. */
export function sprintValue(value: GoValue): string {
  if (typeof value === 'string') return value
  return sprint([value])
}

/** `fmt.Sprint(a...)`: a space between operands when neither is a string. */
export function sprint(args: readonly GoValue[]): string {
  const printer = new Printer()
  args.forEach((arg, at) => {
    if (at > 0 && !isString(arg) && !isString(args[at - 1] ?? null)) printer.write(' ')
    printer.printArg(arg, 'v')
  })
  return canonical(printer.text)
}

/** `fmt.Sprintln(a...)` */
export function sprintln(args: readonly GoValue[]): string {
  const printer = new Printer()
  args.forEach((arg, at) => {
    if (at > 0) printer.write(' ')
    printer.printArg(arg, 'v')
  })
  return canonical(`${printer.text}\n`)
}

/** `fmt.Sprintf(format, a...)`, all verbs and flags. */
export function sprintf(format: string, args: readonly GoValue[]): string {
  return canonical(printFormatted(format, args))
}

function isString(value: GoValue): boolean {
  return value !== null && typeOf(value).kind === 'string'
}
