import { decodeBase64 } from './base-decoding.ts'

export interface PemBlock {
  readonly label: string
  readonly bytes: Uint8Array
}

/** The first PEM block in a text; undefined when there is none. */
export function decodePem(text: string): PemBlock | undefined {
  const pattern = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t]*\r?\n([^]*?)\n?-----END \1-----/g
  for (const [, label = '', body = ''] of text.matchAll(pattern)) {
    const content = body.replace(/^(?:[^\n:]+:[^\n]*\r?\n)+\r?\n/, '').replace(/[ \t]/g, '')
    const decoded = decodeBase64(content)
    if ('bytes' in decoded) return { label, bytes: decoded.bytes }
  }
  return undefined
}

/** Lines of 64 characters. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.map((line) => `${line}\n`).join('')}-----END ${label}-----\n`
}
