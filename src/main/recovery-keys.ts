import { writeFile } from 'node:fs/promises'
import { systemClock, toRfc3339 } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import type { KeyDeps, RotatedRepository } from '../cli/commands/key/define.ts'
import type { Output } from '../cli/output.ts'
import { freezeProfile, resolveProfile } from '../engine/profile.ts'
import {
  type RecoveryKeyState,
  findRecoveryKey,
  finishRotation,
  importRecoveryKey,
  markExported,
  nextRecoveryKey,
} from '../functions/recovery-key.ts'
import { type RepositoryLocation, locationAnnotation } from '../functions/repository-keys.ts'
import { type Secret, kinds } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Live } from '../kube/objects.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { findRepositories } from './find-repositories.ts'
import { recoveryKeyFingerprint } from '../repository/keys/recovery-key.ts'
import { repositoryError } from '../repository/errors.ts'
import { type KeysToTry, openRepository } from '../repository/open-repository.ts'
import type { OpenedStore } from '../store/location.ts'
import { type ResolvedProfile, decodeProfile } from '../store/profile-json.ts'
import { withPrefix } from '../store/with-prefix.ts'

interface Place {
  readonly kube: Kube
  readonly namespace: string
  readonly signal: AbortSignal
  readonly openStore: (profile: ResolvedProfile) => OpenedStore
}

/** What `holdfast key` does in a cluster. */
export function recoveryKeys(
  place: Place,
  shared: Pick<KeyDeps, 'finish' | 'readText'> & { readonly output: Output },
): KeyDeps {
  return {
    ...shared,
    writeSecret: (file, text) => writeFile(file, text, { mode: 0o600, flag: 'wx' }),
    find: () => findRecoveryKey(place),
    markExported: (fingerprint) => markExported(place, fingerprint, toRfc3339(systemClock.now())),
    import: (key, options) => importRecoveryKey(place, key, options),
    rotate: (options) => rotate(place, options),
  }
}

/** The new key is added everywhere before it takes the place of the old one, and the old one is removed after that: whatever breaks off, one of both opens. */
async function rotate(place: Place, { force }: { readonly force: boolean }): ReturnType<KeyDeps['rotate']> {
  const { current, next } = await nextRecoveryKey(place)
  const fingerprint = recoveryKeyFingerprint(next)
  const { known, unseen } = await allRepositories(place, [next, current.key])
  const repositories: RotatedRepository[] = []
  for (const one of known) repositories.push(await addNext(place, one, current, next))
  // Behind those of `known`, whose order the removal below goes by.
  repositories.push(...unseen)
  if (!force && repositories.some(({ added }) => !added)) return { fingerprint, finished: false, repositories }
  await finishRotation(place)
  for (const [at, one] of known.entries()) {
    const before = repositories[at]
    if (before?.added) repositories[at] = await removeOld(place, one, next, before)
  }
  return { fingerprint, finished: true, repositories }
}

interface Known {
  readonly location: RepositoryLocation
  /** Undefined where a Blueprint gave its own, or another installation made it. */
  readonly password?: string
  readonly profile: ResolvedProfile | undefined
}

interface Repositories {
  readonly known: readonly Known[]
  /** Buckets that could not be looked through. */
  readonly unseen: readonly RotatedRepository[]
}

/**
 * Of the Secrets of working passwords, and of the buckets of all Profiles: repositories with a key of a Blueprint have no Secret, nor have those that came with an
 * imported recovery key. What is found in a bucket counts if one of the keys opens it; anything else is somebody else's.
 */
async function allRepositories(place: Place, keys: readonly string[]): Promise<Repositories> {
  const profiles = await resolvedProfiles(place.kube, place.signal)
  const known = await ofSecrets(place, profiles)
  const unseen: RotatedRepository[] = []
  for (const profile of distinct(profiles)) {
    try {
      const found = await inBucket(place, profile)
      for (const one of found.filter((each) => !known.some(({ location }) => isSame(location, each.location))))
        if (await opensByAny(place, one, keys)) known.push(one)
    } catch (error) {
      place.signal.throwIfAborted()
      const problem = `cannot be looked through for repositories: ${messageOf(error)}`
      unseen.push({ repository: `bucket ${profile.location.bucket}`, added: false, removed: false, problem })
    }
  }
  return { known, unseen }
}

/** One Profile for each bucket. */
function distinct(profiles: readonly ResolvedProfile[]): ResolvedProfile[] {
  const places = profiles.map((profile) => JSON.stringify(locationAt(profile, '')))
  return profiles.filter((_profile, at) => places.indexOf(places[at] ?? '') === at)
}

function locationAt({ location: { type, endpoint, bucket } }: ResolvedProfile, key: string): RepositoryLocation {
  return { type, endpoint: endpoint.replace(/\/+$/, ''), bucket, key }
}

function isSame(a: RepositoryLocation, b: RepositoryLocation): boolean {
  return a.key === b.key && a.bucket === b.bucket && a.endpoint === b.endpoint && a.type === b.type
}

async function inBucket({ signal, openStore }: Place, profile: ResolvedProfile): Promise<Known[]> {
  await using opened = openStore(profile)
  const keys = await findRepositories(opened, signal)
  return keys.map((key) => ({ location: locationAt(profile, key), profile }))
}

async function opensByAny(place: Place, known: Known, keys: readonly string[]): Promise<boolean> {
  for (const recoveryKey of keys) if (await opens(place, known, { recoveryKey })) return true
  return false
}

/** Each Secret says where its repository is, a Profile of the cluster has the credentials. */
async function ofSecrets({ kube, namespace, signal }: Place, profiles: readonly ResolvedProfile[]): Promise<Known[]> {
  const { items } = await kube
    .resource(kinds.secrets)
    .list({ namespace, labelSelector: 'app.kubernetes.io/part-of=holdfast', signal })
  return items.flatMap((secret) => {
    const location = locationOf(secret)
    const password = Buffer.from(secret.data?.password ?? '', 'base64').toString()
    return location && password !== '' ? [{ location, password, profile: profiles.find((one) => isAt(one, location)) }] : []
  })
}

function locationOf(secret: Live<Secret>): RepositoryLocation | undefined {
  const text = secret.metadata.annotations?.[locationAnnotation]
  // Written by us, and read by nobody else.
  return text === undefined ? undefined : (JSON.parse(text) as RepositoryLocation)
}

async function resolvedProfiles(kube: Kube, signal: AbortSignal): Promise<ResolvedProfile[]> {
  const resolved: ResolvedProfile[] = []
  for (const { metadata } of (await kube.resource(ownKinds.profiles).list({ signal })).items) {
    const ref = { name: metadata.name, namespace: metadata.namespace ?? '' }
    try {
      resolved.push(decodeProfile(await resolveProfile(kube, await freezeProfile(kube, ref, signal), signal)))
    } catch {
      signal.throwIfAborted()
      // A Profile that is broken serves no repository; those are then said as not reached.
    }
  }
  return resolved
}

function isAt({ location }: ResolvedProfile, { type, endpoint, bucket }: RepositoryLocation): boolean {
  return location.type === type && location.endpoint.replace(/\/+$/, '') === endpoint && location.bucket === bucket
}

async function addNext(place: Place, known: Known, current: RecoveryKeyState, next: string): Promise<RotatedRepository> {
  const repository = nameOf(known)
  try {
    if (!known.profile) throw new Error('no Profile of the cluster has this location')
    if (await opens(place, known, { recoveryKey: next })) return { repository, added: true, removed: false }
    const keys = { passwords: known.password === undefined ? [] : [known.password], recoveryKey: current.key }
    await withStore(place, known, async (store) => {
      const opened = await openRepository(store, { ...keys, signal: place.signal })
      await opened.addKey({ key: { recoveryKey: next }, signal: place.signal })
    })
    return { repository, added: true, removed: false }
  } catch (error) {
    place.signal.throwIfAborted()
    return { repository, added: false, removed: false, problem: messageOf(error) }
  }
}

/** False only where the repository says so: one that cannot be reached is not somebody else's. */
async function opens(place: Place, known: Known, keys: KeysToTry): Promise<boolean> {
  return withStore(place, known, async (store) => {
    try {
      await openRepository(store, { ...keys, signal: place.signal })
      return true
    } catch (error) {
      if (!repositoryError.is(error)) throw error
      return false
    }
  })
}

const lockWaitMs = 60_000

/** Opened by the new key, so that this one stays. */
async function removeOld(place: Place, known: Known, next: string, before: RotatedRepository): Promise<RotatedRepository> {
  const { signal } = place
  try {
    await withStore(place, known, async (store) => {
      const opened = await openRepository(store, { recoveryKey: next, lockWaitMs, signal })
      for (const key of await opened.keys({ signal }))
        if (key.recovery && !key.current) await opened.removeKey(key.id, { signal })
    })
    return { ...before, removed: true }
  } catch (error) {
    signal.throwIfAborted()
    return { ...before, problem: messageOf(error) }
  }
}

async function withStore<T>(
  { openStore }: Pick<Place, 'openStore'>,
  { profile, location }: Known,
  work: (store: ReturnType<typeof withPrefix>) => Promise<T>,
): Promise<T> {
  if (!profile) throw new Error('no Profile of the cluster has this location')
  await using opened = openStore(profile)
  return await work(withPrefix(opened, location.key))
}

function nameOf({ location: { bucket, key } }: Known): string {
  return `${bucket}/${key}`
}
