import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { CatalogKey } from './catalog-key.ts'

const nonceBytes = 12
const tagBytes = 16

/**
 * Base64 of nonce, AES-256-GCM ciphertext of `text`, and tag. `open` (what stays readable beside it) is bound to it: a seal moved to
 * another record, or a record whose readable part was changed, does not open. With random nonces one key may seal 2^32 records.
 */
export function seal(key: CatalogKey, open: string, text: string): string {
  const nonce = randomBytes(nonceBytes)
  const cipher = createCipheriv('aes-256-gcm', key.seal, nonce).setAAD(Buffer.from(open))
  return Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64')
}

/** Undefined when key, readable part and seal do not belong together. */
export function unseal(key: CatalogKey, open: string, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64')
  if (bytes.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key.seal, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes })
    .setAAD(Buffer.from(open))
    .setAuthTag(bytes.subarray(-tagBytes))
  try {
    return decipher.update(bytes.subarray(nonceBytes, -tagBytes), undefined, 'utf8') + decipher.final('utf8')
  } catch {
    return undefined
  }
}
