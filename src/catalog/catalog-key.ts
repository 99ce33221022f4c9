import { createHmac, hkdfSync } from 'node:crypto'

/** What seals records and signs the chain: made from the recovery key of an installation, so that key alone opens its catalog. */
export interface CatalogKey {
  /** By which people tell recovery keys apart; stands in each record, so that a wrong key is named as such. */
  readonly fingerprint: string
  /** AES-256. */
  readonly seal: Uint8Array
  /** HMAC-SHA-256. */
  readonly sign: Uint8Array
  /** Keys of earlier recovery keys of this installation: they open and prove what was written then, and write nothing. */
  readonly previous?: readonly CatalogKey[]
}

/**
 * Two keys by HKDF-SHA-256 of the recovery key's 32 bytes, without salt; info: `holdfast catalog seal v1` and `holdfast catalog sign v1`.
 */
export function deriveCatalogKey(secret: Uint8Array, fingerprint: string): CatalogKey {
  const derive = (purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', secret, '', `holdfast catalog ${purpose} v1`, 32))
  return { fingerprint, seal: derive('seal'), sign: derive('sign') }
}

/** Hex. Of texts that say themselves what they are, so that a signature fits nothing else. */
export function signatureOf(key: CatalogKey, text: string): string {
  return createHmac('sha256', key.sign).update(text).digest('hex')
}

/** True if this key, or one before it, signed the text. */
export function isSigned(key: CatalogKey, text: string, signature: unknown): boolean {
  return [key, ...(key.previous ?? [])].some((each) => signatureOf(each, text) === signature)
}

/** The key of that fingerprint, this one or one before it. */
export function findKey(key: CatalogKey | undefined, fingerprint: string | undefined): CatalogKey | undefined {
  return [key, ...(key?.previous ?? [])].find((each) => each !== undefined && each.fingerprint === fingerprint)
}
