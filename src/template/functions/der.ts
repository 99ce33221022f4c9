/** Writes and reads the few forms of ASN.1 DER that an X.509 certificate is made of. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** Tag, length and content. */
export function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content])
}

export function derSequence(...items: readonly Uint8Array[]): Buffer {
  return der(derTag.sequence, ...items)
}

/** `[n]` around other values, or with `primitive` in place of the value's own tag. */
export function derContext(number: number, content: Uint8Array, form: 'constructed' | 'primitive' = 'constructed'): Buffer {
  return der((form === 'constructed' ? 0xa0 : 0x80) | number, content)
}

/** A number that is not negative, big-endian. */
export function derUnsigned(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(start))
  // A leading bit of 1 would make it negative.
  return der(derTag.integer, (digits[0] ?? 0) & 0x80 ? Buffer.from([0]) : Buffer.alloc(0), digits)
}

export function derObjectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(derTag.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

/** Whole octets. */
export function derBitString(bytes: Uint8Array): Buffer {
  return der(derTag.bitString, Buffer.from([0]), bytes)
}

/** One value at an offset: its tag, where its content begins, and where it ends. */
export interface DerItem {
  readonly tag: number
  readonly start: number
  readonly content: number
  readonly end: number
}

export function readDer(bytes: Uint8Array, at: number): DerItem {
  const tag = bytes[at] ?? 0
  const first = bytes[at + 1] ?? 0
  const more = first & 0x80 ? first & 0x7f : 0
  let length = more === 0 ? first : 0
  for (let index = 0; index < more; index++) length = length * 256 + (bytes[at + 2 + index] ?? 0)
  const content = at + 2 + more
  return { tag, start: at, content, end: content + length }
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const digits: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256)
  return Buffer.from([0x80 | digits.length, ...digits])
}

function base128(number: number): readonly number[] {
  const digits = [number % 128]
  for (let rest = Math.floor(number / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80)
  return digits
}
