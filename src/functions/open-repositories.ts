import { createHash, randomUUID } from 'node:crypto'
import { retry } from '../base/backoff.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { kubeError } from '../kube/errors.ts'
import type { Kube } from '../kube/kube.ts'
import { repositoryError } from '../repository/errors.ts'
import { type KeysToTry, openOrInitRepository, openRepository } from '../repository/open-repository.ts'
import type { NewKey } from '../repository/keys/add-key.ts'
import type { Repository } from '../repository/repository.ts'
import { type OpenedStore, locationKey } from '../store/location.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { keyPrefixOf } from './artifact-prefix.ts'
import { functionError } from './errors.ts'
import { exportWarning, findRecoveryKey } from './recovery-key.ts'
import type { OpenByPrefix, OpenForNamespace, OpenedRepository, Repositories } from './repositories.ts'
import { RepositoryKeys, type RepositoryLocation, recoveryKeySecret } from './repository-keys.ts'
import { namespaceRepositoryPath } from './stream-repository.ts'

export interface RepositoriesDeps {
  readonly kube: Pick<Kube, 'resource' | 'leases'>
  /** Where Secrets and Leases of repositories are kept: the engine's own. */
  readonly namespace: string
  /** Unique among processes; holder of the Lease under which a repository is made. */
  readonly holder: string
  readonly clock?: Clock
  /** With the identity of the process, for Profiles that have no keys. */
  readonly openStore: (profile: ResolvedProfile) => OpenedStore
  /** Called with each backup: for the metric. */
  readonly onRecoveryKey?: (state: { readonly exported: boolean }) => void
}

export function createRepositories(deps: RepositoriesDeps): Repositories {
  const keys = new RepositoryKeys(deps.kube, deps.namespace)
  const open = (request: OpenRequest): Promise<OpenedRepository> => openPlace(deps, keys, request)
  return {
    openByPrefix: (request: OpenByPrefix) =>
      open({ ...request, key: keyPrefixOf(request.profile.location.bucket, request.backupArtifactPrefix) }),
    openForNamespace: (request: OpenForNamespace) =>
      open({ ...request, key: locationKey(request.profile, request.path ?? namespaceRepositoryPath(request.namespace)) }),
  }
}

interface OpenRequest {
  readonly profile: ResolvedProfile
  /** Key prefix of the repository below the bucket. */
  readonly key: string
  readonly encryptionKey?: string
  readonly create: boolean
  readonly onWarning?: (warning: string) => void
  readonly signal: AbortSignal
}

async function openPlace(deps: RepositoriesDeps, keys: RepositoryKeys, request: OpenRequest): Promise<OpenedRepository> {
  const opened = await openUnsaid(deps, keys, request)
  if (request.create) await sayUnexported(deps, request)
  return opened
}

/** With each backup, until somebody has the key: what is in the cluster alone is lost with it. */
async function sayUnexported({ kube, namespace, onRecoveryKey }: RepositoriesDeps, request: OpenRequest): Promise<void> {
  const state = await findRecoveryKey({ kube, namespace, signal: request.signal })
  if (!state) return
  onRecoveryKey?.(state)
  if (!state.exported) request.onWarning?.(exportWarning(state.fingerprint))
}

async function openUnsaid(deps: RepositoriesDeps, keys: RepositoryKeys, request: OpenRequest): Promise<OpenedRepository> {
  if (request.encryptionKey === '') {
    throw functionError('FUNCTION_BAD_ARGS', 'encryptionKey is empty; leave it out to have a random one made and kept')
  }
  const opened = deps.openStore(request.profile)
  try {
    const store = withPrefix(opened, request.key)
    const repository = (await openExisting(deps, keys, store, request)) ?? (await make(deps, keys, store, request))
    return closing(repository, opened)
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw explained(error, request)
  }
}

/** Undefined when there is none and it may be made. */
async function openExisting(
  deps: RepositoriesDeps,
  keys: RepositoryKeys,
  store: ObjectStore,
  request: OpenRequest,
): Promise<Repository | undefined> {
  try {
    return await openRepository(store, { ...(await keysToTry(keys, request)), ...callOf(deps, request) })
  } catch (error) {
    if (request.create && repositoryError.is(error, 'REPOSITORY_NOT_FOUND')) return undefined
    throw error
  }
}

/**
 * A key that is given is the only one that counts: a wrong one must not go unnoticed because another opens. Without one: the working
 * password, the recovery key (a new cluster has nothing else), Kanister's public default.
 */
async function keysToTry(keys: RepositoryKeys, request: OpenRequest): Promise<KeysToTry> {
  if (request.encryptionKey !== undefined) return { passwords: [request.encryptionKey] }
  const password = await keys.findPassword(secretName(request), request.signal)
  const recoveryKey = await keys.recoveryKey(request.signal)
  return { passwords: password === undefined ? [] : [password], recoveryKey, kanisterDefault: true }
}

/** Again when the Lease was lost: the API server was away for too long, and what was begun opens as it is or is made anew. */
async function make(
  deps: RepositoriesDeps,
  keys: RepositoryKeys,
  store: ObjectStore,
  request: OpenRequest,
): Promise<Repository> {
  const isLost = (error: unknown): boolean => kubeError.is(error, 'KUBE_LEASE_LOST')
  const options = { signal: request.signal, clock: deps.clock ?? systemClock, when: isLost, attempts: 5 }
  return await retry(() => makeUnderLease(deps, keys, store, request), options)
}

/** One maker at a time: two that both find nothing would each write keys that open nothing. Two phases of one process are two. */
async function makeUnderLease(
  deps: RepositoriesDeps,
  keys: RepositoryKeys,
  store: ObjectStore,
  request: OpenRequest,
): Promise<Repository> {
  const lease = await deps.kube.leases.acquire(
    { namespace: deps.namespace, name: secretName(request), holder: `${deps.holder}/${randomUUID()}` },
    { signal: request.signal },
  )
  try {
    const held = { ...request, signal: AbortSignal.any([request.signal, lease.signal]) }
    const init: readonly NewKey[] = [await firstKey(keys, store, held), { recoveryKey: await keys.recoveryKey(held.signal) }]
    return await openOrInitRepository(store, { ...(await keysToTry(keys, held)), ...callOf(deps, held) }, { keys: init })
  } finally {
    await lease.release()
  }
}

async function firstKey(keys: RepositoryKeys, store: ObjectStore, request: OpenRequest): Promise<NewKey> {
  if (request.encryptionKey !== undefined) return { encryptionKey: request.encryptionKey }
  const found = await keys.findPassword(secretName(request), request.signal)
  return {
    workingPassword:
      found ??
      (await keys.createPassword(
        secretName(request),
        { description: store.description, location: locationOf(request) },
        request.signal,
      )),
  }
}

/** One name per place, whoever asks: where two Profiles point at the same place, it is one repository. */
function secretName(request: OpenRequest): string {
  const { type, endpoint, bucket, key } = locationOf(request)
  const place = [type, endpoint, bucket, key].join('\n')
  return `holdfast-repo-${createHash('sha256').update(place).digest('hex').slice(0, 20)}`
}

function locationOf({ profile, key }: OpenRequest): RepositoryLocation {
  const { type, endpoint, bucket } = profile.location
  return { type, endpoint: endpoint.replace(/\/+$/, ''), bucket, key }
}

/** Longer than the lock of a dead process counts, so that a prune in the way costs time, not the backup. */
const lockWaitMs = 31 * 60_000

function callOf(
  deps: RepositoriesDeps,
  { signal }: OpenRequest,
): { readonly clock: Clock; readonly lockWaitMs: number; readonly signal: AbortSignal } {
  return { clock: deps.clock ?? systemClock, lockWaitMs, signal }
}

function closing(repository: Repository, store: OpenedStore): OpenedRepository {
  return { ...repository, [Symbol.asyncDispose]: () => Promise.resolve(store[Symbol.asyncDispose]()) }
}

function explained(error: unknown, { key, profile }: OpenRequest): unknown {
  const place = `${profile.location.bucket}/${key}`
  if (repositoryError.is(error, 'REPOSITORY_NOT_FOUND')) {
    return functionError('FUNCTION_NO_REPOSITORY', `${error.message}; check the prefix "${place}" and the Profile`, {
      cause: error,
    })
  }
  if (repositoryError.is(error, 'REPOSITORY_WRONG_KEY')) {
    return functionError(
      'FUNCTION_NO_KEY',
      `${error.message}. If another installation made the repository "${place}", give the Profile a prefix of its own, ` +
        `or put that installation's recovery key into the Secret ${recoveryKeySecret}`,
      { cause: error },
    )
  }
  return error
}
