import { FunctionError } from './define.ts'

/** Longest text that one call may give, in UTF-16 units: an engine must not be filled by `repeat`. */
export const maxTextLength = 16 * 1024 * 1024

/** Most items that one call may make. */
export const maxItems = 1_000_000

/** Throws before a text of `length` is made that is longer than allowed. */
export function checkTextLength(length: number): void {
  if (length > maxTextLength)
    throw new FunctionError(`the result would have ${length} characters; the limit is ${maxTextLength}`)
}

/** Throws before a list of `count` items is made that is longer than allowed. */
export function checkItemCount(count: bigint | number): void {
  if (count > maxItems) throw new FunctionError(`the result would have ${count} items; the limit is ${maxItems}`)
}

/** `strings.Repeat`, which takes no negative count. */
export function repeatText(text: string, count: bigint): string {
  if (count < 0n) throw new FunctionError('strings: negative Repeat count')
  if (text === '') return ''
  checkTextLength(text.length * Number(count))
  return text.repeat(Number(count))
}
