import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '../base/clock.ts'
import type { OpenedRepo, RepoFlags } from '../cli/commands/repo/deps.ts'
import { cliError } from '../cli/errors.ts'
import { freezeProfile, resolveProfile } from '../engine/profile.ts'
import { keyPrefixOf } from '../functions/artifact-prefix.ts'
import { createRepositories } from '../functions/open-repositories.ts'
import { pruneLease } from '../functions/prune-lease.ts'
import type { OpenedRepository } from '../functions/repositories.ts'
import { namespaceRepositoryPath } from '../functions/stream-repository.ts'
import type { Kube } from '../kube/kube.ts'
import { type KeysToTry, openRepository } from '../repository/open-repository.ts'
import { locationKey } from '../store/location.ts'
import { type ResolvedProfile, decodeProfile } from '../store/profile-json.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { openStoreWith } from './own-identity.ts'
import { trusting } from './store-trust.ts'

interface Options {
  /** Given keys count; without them those that the installation keeps. */
  readonly keys: KeysToTry | undefined
  readonly signal: AbortSignal
}

/** A repository of the cluster: the Profile says where it is, the installation's Secrets hold its key, a Lease keeps other prunes away. */
export async function openByProfile(kube: Kube, flags: RepoFlags, { keys, signal }: Options): Promise<OpenedRepo> {
  const namespace = flags.namespace ?? kube.client.namespace
  const profile = await trusting(await findProfile(kube, flags.profile ?? '', namespace, signal), flags)
  const holder = `${hostname()}/cli/${randomBytes(4).toString('hex')}`
  const repository = keys
    ? await openWith(profile, flags, keys, signal)
    : await openKept(kube, profile, flags, { namespace, holder, signal })
  return {
    repository,
    lease: pruneLease(kube, { namespace, holder, id: repository.id }),
    [Symbol.asyncDispose]: async () => repository[Symbol.asyncDispose](),
  }
}

export async function findProfile(kube: Kube, name: string, namespace: string, signal: AbortSignal): Promise<ResolvedProfile> {
  const [first = '', second] = name.split('/')
  const ref = second === undefined ? { name: first, namespace } : { name: second, namespace: first }
  return decodeProfile(await resolveProfile(kube, await freezeProfile(kube, ref, signal), signal))
}

async function openWith(
  profile: ResolvedProfile,
  flags: RepoFlags,
  keys: KeysToTry,
  signal: AbortSignal,
): Promise<OpenedRepository> {
  const opened = openStoreWith(process.env)(profile)
  const close = async (): Promise<void> => opened[Symbol.asyncDispose]()
  try {
    const key =
      flags.prefix === undefined ? locationKey(profile, pathOf(flags)) : keyPrefixOf(profile.location.bucket, flags.prefix)
    return { ...(await openRepository(withPrefix(opened, key), { ...keys, signal })), [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

async function openKept(
  kube: Kube,
  profile: ResolvedProfile,
  flags: RepoFlags,
  { namespace, holder, signal }: { readonly namespace: string; readonly holder: string; readonly signal: AbortSignal },
): Promise<OpenedRepository> {
  const repositories = createRepositories({
    kube,
    namespace,
    holder,
    clock: systemClock,
    openStore: openStoreWith(process.env),
  })
  const common = { profile, create: false, signal }
  if (flags.prefix !== undefined) return repositories.openByPrefix({ ...common, backupArtifactPrefix: flags.prefix })
  return repositories.openForNamespace({ ...common, namespace: flags.appNamespace ?? '', path: pathOf(flags) })
}

function pathOf({ path, appNamespace }: RepoFlags): string {
  if (path) return path
  if (appNamespace) return namespaceRepositoryPath(appNamespace)
  throw cliError('CLI_USAGE', '--profile says where repositories are, not which: give --app-namespace, --path or --prefix')
}
