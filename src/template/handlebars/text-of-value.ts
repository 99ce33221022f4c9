import { fromBytes, hasRawBytes } from '../go/byte-string.ts'
import { textOfMethods } from '../go/members.ts'
import { sprintValue } from '../go/print.ts'
import { GoBytes, GoFunc, GoMap, GoPointer, GoSlice, GoStruct, type GoValue } from '../go/value.ts'

/**
 * What a value is in text, or why it has none there. Texts, numbers, truth values and times print as in Go. Bytes that are
 * UTF-8 print as what they spell, so that `{{Secrets.db.Data.password}}` is the password; Go prints a list of numbers.
 */
export function textOfValue(value: GoValue): { readonly text: string } | { readonly refusal: string } {
  if (typeof value === 'string') return { text: value }
  if (value === null) return { refusal: 'is nothing; say what to print then: {{default "…" (optional …)}}' }
  if (value instanceof GoBytes) {
    const text = fromBytes(value.bytes)
    return hasRawBytes(text) ? { refusal: 'holds bytes that are no text; print them with {{b64enc …}}' } : { text }
  }
  const own = textOfMethods(value)
  if (own !== undefined) return { text: own }
  if (value instanceof GoSlice) return { refusal: 'is a list; print it with {{toJson …}}, {{join "," …}} or {{#each …}}' }
  if (value instanceof GoMap || value instanceof GoStruct || value instanceof GoPointer) {
    return { refusal: 'is an object; print it with {{toJson …}} or one of its parts' }
  }
  if (value instanceof GoFunc) return { refusal: 'is a function' }
  return { text: sprintValue(value) }
}
