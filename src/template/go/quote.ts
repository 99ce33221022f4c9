/** `strconv.Quote(s)`: Go syntax in double quotes, what is not printable escaped, bytes outside of UTF-8 as \xNN. */
export function quote(_text: string): string {
  throw new Error('not yet')
}
