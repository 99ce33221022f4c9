import type { GoValue } from './value.ts'

/**
 * `json.Marshal(v)` (sprig's toJson), or `json.MarshalIndent(v, "", indent)` when an indent is given (toPrettyJson: two
 * spaces). Throws a FunctionError with Go's text for what JSON cannot hold (NaN, functions).
 */
export function encodeJson(_value: GoValue, _indent = ''): string {
  throw new Error('not yet')
}
