/** The few forms of DER (ITU-T X.690) that a certificate is made of: tag, length, content. Writing only; Node reads. */
export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return element(0x30, ...parts)
}

export function set(...parts: readonly Uint8Array[]): Buffer {
  return element(0x31, ...parts)
}

/** A positive integer from its bytes, most significant first. */
export function integer(bytes: Uint8Array): Buffer {
  const isNegative = (bytes[0] ?? 0) >= 0x80
  return element(0x02, isNegative ? Buffer.of(0) : Buffer.alloc(0), bytes)
}

export function boolean(value: boolean): Buffer {
  return element(0x01, Buffer.of(value ? 0xff : 0))
}

/** Whole bytes: no unused bits. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return element(0x03, Buffer.of(unusedBits), bytes)
}

export function octetString(bytes: Uint8Array): Buffer {
  return element(0x04, bytes)
}

export function utf8String(text: string): Buffer {
  return element(0x0c, Buffer.from(text))
}

/** `1.2.840.10045`: the first two numbers share a byte, the others are written in base 128. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...others] = dotted.split('.').map(Number)
  return element(0x06, Buffer.from([first * 40 + second, ...others.flatMap(base128)]))
}

/** Two digits of the year until 2049, four from then on, as RFC 5280 wants it. Whole seconds, UTC. */
export function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+/g, '')
  return digits < '2050' ? element(0x17, Buffer.from(digits.slice(2))) : element(0x18, Buffer.from(digits))
}

/** A field with a number of its own: `[3] EXPLICIT`, or a primitive one where `isPrimitive`. */
export function tagged(number: number, content: Uint8Array, isPrimitive = false): Buffer {
  return element((isPrimitive ? 0x80 : 0xa0) + number, content)
}

function element(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.of(tag, ...lengthBytes(size)), ...parts])
}

function lengthBytes(size: number): number[] {
  if (size < 0x80) return [size]
  if (size < 0x100) return [0x81, size]
  return [0x82, size >> 8, size & 0xff]
}

function base128(value: number): number[] {
  const low = value & 0x7f
  return value < 0x80 ? [low] : [...base128(value >> 7).map((byte) => byte | 0x80), low]
}
