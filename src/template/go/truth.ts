import type { GoValue } from './value.ts'

/** text/template's truth: false, 0, nil, and empty strings, slices and maps are false; structs are true. */
export function isTrue(_value: GoValue): boolean {
  throw new Error('not yet')
}
