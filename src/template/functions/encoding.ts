import { createHash } from 'node:crypto'
import { toBytes } from '../go/byte-string.ts'
import { string } from '../go/go-type.ts'
import { decodeBase32, decodeBase64, encodeBase32, encodeBase64, textOrError } from './base-decoding.ts'
import { defineTemplateFunction, type TemplateFunction } from './define.ts'

export const encodingFunctions: readonly TemplateFunction[] = [
  textFunction('b64enc', 'Text to Base64.', ['{{ b64enc "hello" }}', 'aGVsbG8='], encodeBase64),
  textFunction(
    'b64dec',
    'Base64 to text; where it is wrong, the text of the error.',
    ['{{ b64dec "aGVsbG8=" }}', 'hello'],
    (text) => textOrError(decodeBase64(text), 64),
  ),
  textFunction('b32enc', 'Text to Base32.', ['{{ b32enc "hello" }}', 'NBSWY3DP'], encodeBase32),
  textFunction(
    'b32dec',
    'Base32 to text; where it is wrong, the text of the error.',
    ['{{ b32dec "NBSWY3DP" }}', 'hello'],
    (text) => textOrError(decodeBase32(text), 32),
  ),
  textFunction(
    'sha1sum',
    'SHA-1 of a text in hexadecimal.',
    ['{{ sha1sum "abc" }}', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    (text) => createHash('sha1').update(toBytes(text)).digest('hex'),
  ),
  textFunction(
    'sha256sum',
    'SHA-256 of a text in hexadecimal.',
    ['{{ sha256sum "abc" | trunc 16 }}', 'ba7816bf8f01cfea'],
    (text) => createHash('sha256').update(toBytes(text)).digest('hex'),
  ),
  textFunction('adler32sum', 'Adler-32 of a text as a decimal number.', ['{{ adler32sum "abc" }}', '38600999'], (text) =>
    String(adler32(toBytes(text))),
  ),
]

function textFunction(
  name: string,
  summary: string,
  example: readonly [string, string],
  work: (text: string) => string,
): TemplateFunction {
  return defineTemplateFunction({ name, summary, example, params: [string], result: string, call: (_host, text) => work(text) })
}

function adler32(bytes: Uint8Array): number {
  let low = 1
  let high = 0
  for (const byte of bytes) {
    low = (low + byte) % 65_521
    high = (high + low) % 65_521
  }
  return high * 65_536 + low
}
