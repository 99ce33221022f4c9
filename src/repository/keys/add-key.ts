import type { Clock } from '../../base/clock.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import type { Identity } from '../context.ts'
import { nanosFromMs } from '../format/go-time.ts'
import { type Id, sha256Hex } from '../format/ids.ts'
import type { SealingKey } from '../format/seal.ts'
import { renderKeyFile } from './key-file.ts'
import { derivePassword } from './recovery-key.ts'

/** A password in any of its forms. */
export type NewKey =
  /** Given by a person: used verbatim. */
  | { readonly encryptionKey: string }
  /** Made by `createWorkingPassword`. */
  | { readonly workingPassword: string }
  /** The installation's; the file gets the password derived for this repository. */
  | { readonly recoveryKey: string }

export interface AddKeyOptions {
  readonly key: NewKey
  readonly signal?: AbortSignal
}

/** Marks the key file of the recovery key; its `hostname` is the repository's id, which derivation needs before the config can be read. */
export const recoveryUsername = 'holdfast-recovery'

interface KeyRing {
  readonly store: ObjectStore
  readonly sealer: { readonly key: SealingKey }
  readonly config: { readonly id: Id }
  readonly identity: Identity
  readonly clock: Clock
}

/** One more key file for the repository's master key. */
export async function addKey(ring: KeyRing, { key, signal }: AddKeyOptions): Promise<{ readonly keyId: Id }> {
  const { identity, clock, config } = ring
  const created = nanosFromMs(clock.now())
  const own = { created, hostname: identity.hostname, username: identity.username }
  const options =
    'encryptionKey' in key
      ? { ...own, password: key.encryptionKey, strength: 'human' as const }
      : 'workingPassword' in key
        ? { ...own, password: key.workingPassword, strength: 'random' as const }
        : {
            created,
            hostname: config.id,
            username: recoveryUsername,
            password: passwordOf(key, config.id),
            strength: 'random' as const,
          }
  const file = await renderKeyFile(ring.sealer.key, options)
  const keyId = sha256Hex(file)
  await ring.store.put(`keys/${keyId}`, file, { sha256: keyId, ...(signal && { signal }) })
  return { keyId }
}

/** What opens the key file: plain restic takes it too. */
export function passwordOf(key: NewKey, repositoryId: Id): string {
  if ('encryptionKey' in key) return key.encryptionKey
  return 'workingPassword' in key ? key.workingPassword : derivePassword(key.recoveryKey, repositoryId)
}
