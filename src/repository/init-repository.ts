import { systemClock } from '../base/clock.ts'
import { HoldfastError } from '../base/errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { repositoryError } from './errors.ts'
import { createConfig, renderConfig } from './format/config-file.ts'
import type { Polynomial } from './format/polynomial.ts'
import { createSealer, randomSealingKey } from './format/seal.ts'
import { processIdentity } from './identity.ts'
import { type NewKey, addKey } from './keys/add-key.ts'
import { type EngineOptions, type Repository, createRepository } from './repository.ts'

export interface InitOptions extends EngineOptions {
  /** Each gets a key file; the first is the one the repository counts as opened by. At least one. */
  readonly keys: readonly NewKey[]
  /** `Repository.polynomial` of another one: the same bytes are then cut alike in both, so that copies and own backups share blobs. @default random */
  readonly polynomial?: Polynomial
  readonly signal?: AbortSignal
}

/**
 * Makes a repository where there is none. The config is written last and only if absent, so a maker that loses a race (or an empty-looking
 * place that holds a repository's remains) ends in REPOSITORY_EXISTS and nothing that was there is touched.
 */
export async function initRepository(store: ObjectStore, options: InitOptions): Promise<Repository> {
  const { keys, signal, clock = systemClock, identity = processIdentity() } = options
  assertKeys(keys)
  await assertEmpty(store, signal)
  const config = createConfig(options.polynomial)
  const master = randomSealingKey()
  const sealer = createSealer(master)
  const written: string[] = []
  try {
    for (const key of keys) {
      const { keyId } = await addKey({ store, sealer, config, identity, clock }, { key, ...(signal && { signal }) })
      written.push(keyId)
    }
    await store.put('config', sealer.seal(renderConfig(config)), { ifAbsent: true, ...(signal && { signal }) })
  } catch (error) {
    // The key files are ours alone: nobody else's config can be opened by them.
    await Promise.allSettled(written.map((id) => store.delete(`keys/${id}`)))
    if (error instanceof HoldfastError && error.code === 'STORE_EXISTS') throw exists(store, 'config', error)
    throw error
  }
  const [keyId = ''] = written
  return createRepository(store, { config, master, keyId, publicKey: false }, options)
}

function assertKeys(keys: readonly NewKey[]): void {
  if (keys.length === 0) throw repositoryError('REPOSITORY_BAD_ARGUMENT', 'a new repository needs at least one key')
  for (const key of keys) {
    const text = 'encryptionKey' in key ? key.encryptionKey : 'workingPassword' in key ? key.workingPassword : key.recoveryKey
    if (text === '')
      throw repositoryError('REPOSITORY_BAD_ARGUMENT', 'an empty encryption key was given; restic would refuse it too')
  }
}

async function assertEmpty(store: ObjectStore, signal: AbortSignal | undefined): Promise<void> {
  const call = signal ? { signal } : {}
  if (await store.head('config', call)) throw exists(store, 'config')
  for (const folder of ['keys/', 'snapshots/']) {
    for await (const { key } of store.list(folder, call)) throw exists(store, key)
  }
}

function exists(store: ObjectStore, key: string, cause?: unknown): Error {
  return repositoryError(
    'REPOSITORY_EXISTS',
    `${store.description} holds "${key}" already, so it is or was a repository; open it, or choose another place`,
    { cause },
  )
}
