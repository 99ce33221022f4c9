/** A key as one part of a JSON pointer (RFC 6901, section 3), which JSON Patch writes its paths in. */
export function pointerPart(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
