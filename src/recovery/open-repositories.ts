import { repositoryError } from '../repository/errors.ts'
import { openRepository } from '../repository/open-repository.ts'
import type { Repository } from '../repository/repository.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { recoveryError } from './errors.ts'
import type { RecoveryPlace } from './place.ts'

/** Repositories of a place, each opened once, by whichever key opens it. */
export class OpenedRepositories {
  readonly #place: RecoveryPlace
  readonly #opened = new Map<string, Promise<Repository>>()

  constructor(place: RecoveryPlace) {
    this.#place = place
  }

  /** `key`: its prefix below the bucket. RECOVERY_LOCKED when no key opens it. */
  open(key: string, signal: AbortSignal): Promise<Repository> {
    const known = this.#opened.get(key)
    if (known) return known
    const opening = openByAny(this.#place, key, signal)
    opening.catch(() => this.#opened.delete(key))
    this.#opened.set(key, opening)
    return opening
  }
}

async function openByAny(place: RecoveryPlace, key: string, signal: AbortSignal): Promise<Repository> {
  const store = withPrefix(place.root, key)
  const passwords = place.passwords
  const tries = [...place.keys.map(({ text }) => ({ recoveryKey: text, passwords })), { passwords, kanisterDefault: true }]
  for (const keys of tries) {
    try {
      return await openRepository(store, { ...keys, signal })
    } catch (error) {
      if (!repositoryError.is(error, 'REPOSITORY_WRONG_KEY')) throw error
    }
  }
  const have = place.keys.map(({ catalog }) => catalog.fingerprint).join(', ') || 'none'
  throw recoveryError(
    'RECOVERY_LOCKED',
    `no key given opens the repository at ${store.description} (recovery keys: ${have}); give --recovery-key-file, or --password-file where the Blueprint had a key of its own`,
  )
}
