import {
  type Cipheriv,
  createCipheriv,
  createDecipheriv,
  createMac,
  createSecretKey,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { repositoryError } from '../errors.ts'

/** The three secrets that seal: AES-256 for the text, AES-128 and a Poly1305 key for the tag (FORMAT.md 2). */
export interface SealingKey {
  readonly encrypt: Uint8Array
  readonly macK: Uint8Array
  readonly macR: Uint8Array
}

export const nonceBytes = 16
export const tagBytes = 16
/** What sealing adds to a text. */
export const sealOverhead = nonceBytes + tagBytes

/** The parts of a sealed text before they are joined, so that a pack can take them without a copy in between. */
export interface SealedParts {
  readonly nonce: Uint8Array
  readonly ciphertext: Buffer
  readonly tag: Buffer
}

export interface Sealer {
  readonly key: SealingKey
  seal(plain: Uint8Array): Buffer
  sealParts(plain: Uint8Array): SealedParts
  /** Checks the tag in constant time, then decrypts. `what` names the thing in REPOSITORY_DAMAGED. */
  open(sealed: Uint8Array, what: string): Buffer
  /** As `open`, but undefined where the tag does not fit: for trying keys. */
  tryOpen(sealed: Uint8Array): Buffer | undefined
}

/** Prepares a key for use. Keeps nothing from one call to the next, so it may be shared within a thread. */
export function createSealer(key: SealingKey): Sealer {
  const encrypt = createSecretKey(key.encrypt)
  // One block is enciphered by itself, so one cipher serves all nonces.
  const macK = createCipheriv('aes-128-ecb', createSecretKey(key.macK), null).setAutoPadding(false)
  const nonces = nonceSource()
  const sealParts = (plain: Uint8Array): SealedParts => {
    const nonce = nonces()
    const ciphertext = createCipheriv('aes-256-ctr', encrypt, nonce).update(plain)
    return { nonce, ciphertext, tag: tagOf(macK, key.macR, nonce, ciphertext) }
  }
  const tryOpen = (sealed: Uint8Array): Buffer | undefined => {
    if (sealed.length < sealOverhead) return undefined
    const nonce = sealed.subarray(0, nonceBytes)
    const ciphertext = sealed.subarray(nonceBytes, sealed.length - tagBytes)
    const tag = sealed.subarray(sealed.length - tagBytes)
    if (!timingSafeEqual(tagOf(macK, key.macR, nonce, ciphertext), tag)) return undefined
    return createDecipheriv('aes-256-ctr', encrypt, nonce).update(ciphertext)
  }
  return {
    key,
    sealParts,
    seal: (plain) => {
      const { nonce, ciphertext, tag } = sealParts(plain)
      return Buffer.concat([nonce, ciphertext, tag])
    },
    tryOpen,
    open: (sealed, what) => {
      const plain = tryOpen(sealed)
      if (!plain)
        throw repositoryError(
          'REPOSITORY_DAMAGED',
          `${what}: its tag does not fit, so its bytes were changed or another key sealed it`,
        )
      return plain
    },
  }
}

export function randomSealingKey(): SealingKey {
  return { encrypt: randomBytes(32), macK: randomBytes(16), macR: randomBytes(16) }
}

/** 64 bytes (a scrypt result, a thread's start data) as a key: encrypt, then k, then r. */
export function sealingKeyFromBytes(bytes: Uint8Array): SealingKey {
  return { encrypt: bytes.slice(0, 32), macK: bytes.slice(32, 48), macR: bytes.slice(48, 64) }
}

/** Random bytes for many nonces cost hardly more than for one. */
function nonceSource(): () => Buffer {
  let supply = Buffer.alloc(0)
  return () => {
    for (;;) {
      if (supply.length === 0) supply = randomBytes(256 * nonceBytes)
      const nonce = supply.subarray(0, nonceBytes)
      supply = supply.subarray(nonceBytes)
      if (nonce.some((byte) => byte !== 0)) return nonce
    }
  }
}

/** Poly1305 of the ciphertext under the one-time key r ‖ AES-128(k, nonce). */
function tagOf(macK: Cipheriv, macR: Uint8Array, nonce: Uint8Array, ciphertext: Uint8Array): Buffer {
  return createMac('poly1305', Buffer.concat([macR, macK.update(nonce)]))
    .update(ciphertext)
    .final()
}
