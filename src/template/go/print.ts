import type { GoValue } from './value.ts'

/** `fmt.Sprint(v)` of one value: what `%v` prints, strings as they are, nil as `<nil>`. */
export function sprintValue(_value: GoValue): string {
  throw new Error('not yet')
}

/** `fmt.Sprint(a...)`: a space between operands when neither is a string. */
export function sprint(_args: readonly GoValue[]): string {
  throw new Error('not yet')
}

/** `fmt.Sprintln(a...)` */
export function sprintln(_args: readonly GoValue[]): string {
  throw new Error('not yet')
}

/** `fmt.Sprintf(format, a...)`, all verbs and flags. */
export function sprintf(_format: string, _args: readonly GoValue[]): string {
  throw new Error('not yet')
}
