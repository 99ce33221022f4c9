import { HoldfastError } from '../base/errors.ts'
import type { ObjectStore } from '../store/object-store.ts'
import { repositoryError } from './errors.ts'
import { listIds } from './files.ts'
import { parseConfig } from './format/config-file.ts'
import { type Id, isId, shortId } from './format/ids.ts'
import { createSealer, type SealingKey } from './format/seal.ts'
import { type InitOptions, initRepository } from './init-repository.ts'
import { recoveryUsername } from './keys/add-key.ts'
import { openKeyFile } from './keys/key-file.ts'
import { derivePassword, kanisterDefaultPassword } from './keys/recovery-key.ts'
import { type EngineOptions, type OpenedKey, type Repository, createRepository } from './repository.ts'

/** What may open a repository, tried in this order. */
export interface KeysToTry {
  readonly passwords?: readonly string[]
  readonly recoveryKey?: string
  /** Also the public password that Kanister uses when a Blueprint names none. `openedBy.publicKey` says if it was the one. @default false */
  readonly kanisterDefault?: boolean
}

export interface OpenOptions extends EngineOptions, KeysToTry {
  readonly signal?: AbortSignal
}

/** As restic: a place with hundreds of key files must not cost minutes. */
const maxKeyFiles = 20

/** REPOSITORY_NOT_FOUND where there is none, REPOSITORY_WRONG_KEY where nothing given opens it. */
export async function openRepository(store: ObjectStore, options: OpenOptions): Promise<Repository> {
  const call = options.signal ? { signal: options.signal } : {}
  const sealed = await readConfig(store, call)
  const { master, keyId, publicKey } = await findKey(store, options)
  const config = parseConfig(createSealer(master).open(sealed, 'config'))
  return createRepository(store, { config, master, keyId, publicKey }, options)
}

/** Opens, or makes with `init.keys` where there is none. Of two who make at once, one makes and the other opens. */
export async function openOrInitRepository(
  store: ObjectStore,
  options: OpenOptions,
  init: Pick<InitOptions, 'keys'>,
): Promise<Repository> {
  for (let tries = 0; ; tries++) {
    try {
      return await openRepository(store, options)
    } catch (error) {
      if (!repositoryError.is(error, 'REPOSITORY_NOT_FOUND') || tries > 0) throw error
    }
    try {
      return await initRepository(store, { ...options, ...init })
    } catch (error) {
      if (!repositoryError.is(error, 'REPOSITORY_EXISTS')) throw error
    }
  }
}

async function readConfig(store: ObjectStore, call: { readonly signal?: AbortSignal }): Promise<Uint8Array> {
  try {
    return await store.get('config', { limitBytes: 1 << 20, ...call })
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'STORE_NOT_FOUND') throw error
    throw repositoryError('REPOSITORY_NOT_FOUND', `there is no repository at ${store.description}: it has no "config"`, {
      cause: error,
    })
  }
}

async function findKey(store: ObjectStore, options: OpenOptions): Promise<Omit<OpenedKey, 'config'>> {
  const call = options.signal ? { signal: options.signal } : {}
  const ids = (await listIds(store, 'keys', options.signal)).map(({ id }) => id)
  const files: Array<{ readonly id: Id; readonly json: Uint8Array }> = []
  for (const id of ids.slice(0, maxKeyFiles)) {
    const json = await findKeyFile(store, id, call)
    if (json) files.push({ id, json })
  }
  for (const { id, json } of files) {
    for (const { password, publicKey } of passwordsFor(json, options)) {
      options.signal?.throwIfAborted()
      const master = await tryKeyFile(json, password, id)
      if (master) return { master, keyId: id, publicKey }
    }
  }
  throw repositoryError(
    'REPOSITORY_WRONG_KEY',
    `none of the keys given opens the repository at ${store.description} (${files.length} key files tried); give the encryption key or the recovery key it was made with`,
  )
}

/** Undefined when it went since it was listed: of several makers of a repository the losers take their keys back. */
async function findKeyFile(
  store: ObjectStore,
  id: Id,
  call: { readonly signal?: AbortSignal },
): Promise<Uint8Array | undefined> {
  try {
    return await store.get(`keys/${id}`, { limitBytes: 1 << 20, ...call })
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'STORE_NOT_FOUND') return undefined
    throw error
  }
}

/** A key file that cannot be read must not keep another from opening. */
async function tryKeyFile(json: Uint8Array, password: string, id: Id): Promise<SealingKey | undefined> {
  try {
    return await openKeyFile(json, password, `keys/${shortId(id)}`)
  } catch (error) {
    if (repositoryError.is(error)) return undefined
    throw error
  }
}

function passwordsFor(json: Uint8Array, options: KeysToTry): Array<{ readonly password: string; readonly publicKey: boolean }> {
  const repositoryId = options.recoveryKey === undefined ? undefined : recoveryFileId(json)
  // The derived password is tried only where it can fit: each try costs as much as a person guessing.
  if (repositoryId !== undefined && options.recoveryKey !== undefined) {
    const derived = { password: derivePassword(options.recoveryKey, repositoryId), publicKey: false }
    return [derived, ...(options.passwords ?? []).map((password) => ({ password, publicKey: false }))]
  }
  const given = (options.passwords ?? []).map((password) => ({ password, publicKey: password === kanisterDefaultPassword }))
  return options.kanisterDefault ? [...given, { password: kanisterDefaultPassword, publicKey: true }] : given
}

function recoveryFileId(json: Uint8Array): Id | undefined {
  try {
    const { username, hostname } = JSON.parse(Buffer.from(json).toString()) as {
      readonly username?: unknown
      readonly hostname?: unknown
    }
    return username === recoveryUsername && typeof hostname === 'string' && isId(hostname) ? hostname : undefined
  } catch {
    // Not JSON; openKeyFile says so if it comes to that.
    return undefined
  }
}
