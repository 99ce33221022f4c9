/**
 * JSON as Go's `encoding/json` (1.22 and newer) prints it: no spaces, `<`, `>` and `&` as \u003c \u003e \u0026, U+2028/9 escaped,
 * lone surrogates as U+FFFD. Object keys keep the order given, as struct fields do (undefined ones are left out, as
 * with omitempty); `sortKeys` gives the order of a Go map (by UTF-8 bytes). Integers beyond 2^53 go in as bigint.
 * Two readers compare such text byte by byte: kando in published images and `restic rewrite`.
 */
export function goJson(value: unknown, options: { readonly sortKeys?: boolean } = {}): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'string') return goJsonString(value)
  if (typeof value === 'bigint') return value.toString()
  if (typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map((item) => goJson(item, options)).join(',')}]`
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  if (options.sortKeys) entries.sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${entries.map(([key, inner]) => `${goJsonString(key)}:${goJson(inner, options)}`).join(',')}}`
}

const escaped = /[<>&\u2028\u2029]/g

const plain = /^[ !#-%'-;=?-[\]-~]*$/

function goJsonString(text: string): string {
  if (plain.test(text)) return `"${text}"`
  return JSON.stringify(text.toWellFormed()).replace(
    escaped,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
