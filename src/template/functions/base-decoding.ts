import { fromBytes, toBytes } from '../go/byte-string.ts'

/** What Go's decoders give: the bytes, or the place of the first input byte that is wrong. */
export type Decoded = { readonly bytes: Uint8Array } | { readonly errorAt: number }

const base64Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const base32Alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** `base64.StdEncoding.DecodeString`: padding is required, line ends between characters are skipped. */
export function decodeBase64(text: string): Decoded {
  const input = Buffer.from(toBytes(text)).toString('latin1')
  const out: number[] = []
  let at = 0
  while (at < input.length) {
    const group = readQuantum(input, at)
    if ('errorAt' in group) return group
    out.push(...group.bytes)
    at = group.next
  }
  return { bytes: Uint8Array.from(out) }
}

/** `base64.StdEncoding.EncodeToString` of a Go string. */
export function encodeBase64(text: string): string {
  return Buffer.from(toBytes(text)).toString('base64')
}

/** Four characters. The places named for errors are those that Go names. */
function readQuantum(input: string, from: number): { bytes: readonly number[]; next: number } | { errorAt: number } {
  const digits: number[] = []
  let at = from
  while (digits.length < 4) {
    if (at === input.length) return digits.length === 0 ? { bytes: [], next: at } : { errorAt: at - digits.length }
    const char = input[at++] ?? ''
    const digit = base64Alphabet.indexOf(char)
    if (digit >= 0) digits.push(digit)
    else if (char === '=') return readPadding(input, at, digits)
    else if (char !== '\n' && char !== '\r') return { errorAt: at - 1 }
  }
  return { bytes: bytesOf(digits), next: at }
}

/** `at` is behind the first `=`. */
function readPadding(
  input: string,
  at: number,
  digits: readonly number[],
): { bytes: readonly number[]; next: number } | { errorAt: number } {
  if (digits.length < 2) return { errorAt: at - 1 }
  let next = at
  if (digits.length === 2) {
    next = skipLineEnds(input, next)
    if (next === input.length) return { errorAt: input.length }
    if (input[next] !== '=') return { errorAt: next - 1 }
    next++
  }
  next = skipLineEnds(input, next)
  if (next < input.length) return { errorAt: next }
  return { bytes: bytesOf(digits), next }
}

function skipLineEnds(input: string, from: number): number {
  let at = from
  while (input[at] === '\n' || input[at] === '\r') at++
  return at
}

function bytesOf(digits: readonly number[]): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = digits
  const bits = (a << 18) | (b << 12) | (c << 6) | d
  return [bits >> 16, (bits >> 8) & 255, bits & 255].slice(0, digits.length - 1)
}

/** `base32.StdEncoding.DecodeString`. Places count without line ends, as Go's do. */
export function decodeBase32(text: string): Decoded {
  const input = Buffer.from(toBytes(text))
    .toString('latin1')
    .replace(/[\r\n]/g, '')
  const out: number[] = []
  for (let at = 0; at < input.length; at += 8) {
    const group = input.slice(at, at + 8)
    const wrong = firstWrong(group, input.length - at)
    if (wrong !== undefined) return { errorAt: at + wrong }
    const digits = Array.from(group.replace(/=.*$/, ''), (char) => base32Alphabet.indexOf(char))
    out.push(...bytesOfBase32(digits))
    if (digits.length < 8) break
  }
  return { bytes: Uint8Array.from(out) }
}

/** `base32.StdEncoding.EncodeToString` of a Go string. */
export function encodeBase32(text: string): string {
  const bytes = toBytes(text)
  let out = ''
  for (let at = 0; at < bytes.length; at += 5) {
    const group = bytes.subarray(at, at + 5)
    let bits = 0n
    for (let index = 0; index < 5; index++) bits = (bits << 8n) | BigInt(group[index] ?? 0)
    const used = Math.ceil((group.length * 8) / 5)
    for (let index = 0; index < 8; index++) {
      out += index < used ? base32Alphabet[Number((bits >> BigInt(35 - 5 * index)) & 31n)] : '='
    }
  }
  return out
}

/** Where a group of up to eight characters goes wrong, counted from its start; `left` is what the input has from there. */
function firstWrong(group: string, left: number): number | undefined {
  for (let at = 0; at < 8; at++) {
    const char = group[at]
    // The input ends within a group.
    if (char === undefined) return 0
    if (char === '=' && at >= 2 && left - at - 1 < 8) return wrongPadding(group, at, left)
    if (base32Alphabet.indexOf(char) < 0) return at
  }
  return undefined
}

function wrongPadding(group: string, at: number, left: number): number | undefined {
  if (left < 8) return left
  for (let next = at + 1; next < 8; next++) if (group[next] !== '=') return next - 1
  // One, three and six characters make no whole number of bytes.
  return at === 3 || at === 6 ? at : undefined
}

function bytesOfBase32(digits: readonly number[]): readonly number[] {
  let bits = 0n
  for (let at = 0; at < 8; at++) bits = (bits << 5n) | BigInt(digits[at] ?? 0)
  const count = Math.floor((digits.length * 5) / 8)
  return Array.from({ length: count }, (_, at) => Number((bits >> BigInt(32 - 8 * at)) & 255n))
}

/** The text of decoded bytes, or Go's error text in its place, as sprig has it. */
export function textOrError(decoded: Decoded, base: 32 | 64): string {
  return 'bytes' in decoded ? fromBytes(decoded.bytes) : corruptInput(base, decoded.errorAt)
}

export function corruptInput(base: 32 | 64, at: number): string {
  return `illegal base${base} data at input byte ${at}`
}
