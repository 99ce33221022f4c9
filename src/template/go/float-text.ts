/** `strconv.FormatFloat(value, format, precision, bits)`; precision -1 is the shortest text that reads back the same. */
export function formatFloat(
  _value: number,
  _format: 'e' | 'E' | 'f' | 'g' | 'G' | 'x' | 'X' | 'b',
  _precision: number,
  _bits: 32 | 64,
): string {
  throw new Error('not yet')
}
