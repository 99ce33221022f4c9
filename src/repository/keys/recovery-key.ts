import { hkdfSync, randomBytes } from 'node:crypto'
import { repositoryError } from '../errors.ts'
import { type Id, sha256Hex } from '../format/ids.ts'

/**
 * The recovery key: one secret per installation, kept outside the cluster, that opens every repository. Each repository has a key file
 * for a password derived from it and the repository's id, so a leaked derived password opens one repository and says nothing about
 * the key. Printed as `hfr1-` and 64 hex digits.
 */
const prefix = 'hfr1-'

/** The password Kanister uses where a Blueprint gives no encryption key: public, the same everywhere. Only for repositories that exist. */
export const kanisterDefaultPassword = '9f735e0df9a1ddc702bf0a1a7b83033f9f7153a00c29de82cedadc9957289b05'

export function createRecoveryKey(): string {
  return prefix + randomBytes(32).toString('hex')
}

/** A password nobody has to remember, for the key file that everyday work opens. */
export function createWorkingPassword(): string {
  return randomBytes(32).toString('hex')
}

/**
 * The password of the recovery key in one repository: HKDF-SHA-256 of the key's 32 bytes, salt = the repository's id (32 bytes), info =
 * `holdfast repository password v1`, as 64 hex digits. Printable, so that plain restic takes it.
 */
export function derivePassword(recoveryKey: string, repositoryId: Id): string {
  const secret = parseRecoveryKey(recoveryKey)
  const salt = Buffer.from(repositoryId, 'hex')
  return Buffer.from(hkdfSync('sha256', secret, salt, 'holdfast repository password v1', 32)).toString('hex')
}

/** Eight digits by which people tell keys apart; says nothing about the key. */
export function recoveryKeyFingerprint(recoveryKey: string): string {
  return sha256Hex(Buffer.concat([Buffer.from('holdfast recovery key fingerprint v1:'), parseRecoveryKey(recoveryKey)])).slice(
    0,
    8,
  )
}

/** The 32 bytes of a recovery key. REPOSITORY_BAD_ARGUMENT when the text is none. */
export function parseRecoveryKey(recoveryKey: string): Buffer {
  if (!/^hfr1-[0-9a-f]{64}$/.test(recoveryKey.trim())) {
    throw repositoryError('REPOSITORY_BAD_ARGUMENT', `the recovery key is malformed: it must be ${prefix} and 64 hex digits`)
  }
  return Buffer.from(recoveryKey.trim().slice(prefix.length), 'hex')
}
