import { fstatSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { text as readAll } from 'node:stream/consumers'
import { systemClock } from '../base/clock.ts'
import type { OpenedRepo, RepoDeps, RepoFlags } from '../cli/commands/repo/deps.ts'
import { firstLine } from '../cli/commands/repo/key.ts'
import { type RepoPlace, parsePlace } from '../cli/commands/repo/place.ts'
import { cliError } from '../cli/errors.ts'
import type { Output } from '../cli/output.ts'
import type { Kube } from '../kube/kube.ts'
import { fileSource } from '../repository/file-source.ts'
import { initRepository } from '../repository/init-repository.ts'
import type { NewKey } from '../repository/keys/add-key.ts'
import { type KeysToTry, openRepository } from '../repository/open-repository.ts'
import type { Repository } from '../repository/repository.ts'
import { FileStore } from '../store/file-store.ts'
import { openStore } from '../store/location.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { trusting } from './store-trust.ts'

interface Ways {
  readonly env: NodeJS.ProcessEnv
  readonly output: Output
  readonly signal: AbortSignal
  openKube(flags: RepoFlags): Promise<Kube>
}

/** What the commands `holdfast repo` need: a place by its URL, or by a Profile of the cluster. The only reader of their environment. */
export function repoAccess(ways: Ways): RepoDeps {
  const readText = (file: string): Promise<string> => (file === '-' ? readAll(process.stdin) : readFile(file, 'utf8'))
  return {
    output: ways.output,
    clock: systemClock,
    signal: ways.signal,
    finish: (exitCode) => void (process.exitCode = exitCode),
    readText,
    open: (flags) => open(ways, flags, readText),
    init: async (flags, { likePolynomial }) => {
      const place = await openUrl(ways, flags, { create: true })
      const keys = newKeys(await keysOf(ways, flags, readText))
      const repository = await initRepository(place.store, {
        keys,
        signal: ways.signal,
        ...(likePolynomial !== undefined && { polynomial: likePolynomial }),
      })
      return { repository, [Symbol.asyncDispose]: place.close }
    },
    stdin: () => (fstatSync(0).isFile() ? fileSource(0) : process.stdin),
    write: (bytes) => new Promise((done, fail) => process.stdout.write(bytes, (error) => (error ? fail(error) : done()))),
  }
}

type ReadText = RepoDeps['readText']

async function open(ways: Ways, flags: RepoFlags, readText: ReadText): Promise<OpenedRepo> {
  if (flags.profile !== undefined) {
    const { openByProfile } = await import('./repo-by-profile.ts')
    return openByProfile(await ways.openKube(flags), flags, { keys: await keysOf(ways, flags, readText), signal: ways.signal })
  }
  const place = await openUrl(ways, flags, { create: false })
  const keys = await keysOf(ways, flags, readText)
  if (!keys) throw noKey()
  const repository: Repository = await openRepository(place.store, { ...keys, signal: ways.signal })
  return { repository, [Symbol.asyncDispose]: place.close }
}

interface OpenedPlace {
  readonly store: ObjectStore
  readonly close: () => Promise<void>
}

async function openUrl(ways: Ways, flags: RepoFlags, { create }: { readonly create: boolean }): Promise<OpenedPlace> {
  const url = flags.repo ?? ways.env.HOLDFAST_REPO
  if (url === undefined || url === '')
    throw cliError('CLI_USAGE', 'no repository was named: give --repo s3:https://host/bucket/path, a folder, or --profile')
  const place = parsePlace(url)
  if (place.kind === 's3') {
    const opened = openStore(await trusting(s3Profile(ways.env, place), flags))
    return { store: withPrefix(opened, place.path), close: async () => opened[Symbol.asyncDispose]() }
  }
  const folder = resolve(place.path)
  if (create) await mkdir(folder, { recursive: true, mode: 0o700 })
  return { store: new FileStore(folder, { marked: false }), close: () => Promise.resolve() }
}

/** Credentials as every tool for S3 reads them, restic too. */
export function s3Profile(
  env: NodeJS.ProcessEnv,
  { endpoint, bucket }: Extract<RepoPlace, { readonly kind: 's3' }>,
): ResolvedProfile {
  const data = {
    aws_access_key_id: env.AWS_ACCESS_KEY_ID ?? '',
    aws_secret_access_key: env.AWS_SECRET_ACCESS_KEY ?? '',
    ...(env.AWS_SESSION_TOKEN ? { aws_session_token: env.AWS_SESSION_TOKEN } : {}),
  }
  const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION ?? ''
  return {
    location: { type: 's3Compliant', bucket, endpoint, prefix: '', region, caBundle: '', checksums: '' },
    credential: { type: 'secret', secret: { namespace: '', name: 'environment', type: 'secrets.kanister.io/aws', data } },
    skipSslVerify: false,
  }
}

/** Undefined when none is given. */
async function keysOf(ways: Ways, flags: RepoFlags, readText: ReadText): Promise<KeysToTry | undefined> {
  const password =
    flags.passwordFile === undefined ? ways.env.HOLDFAST_REPO_PASSWORD : firstLine(await readText(flags.passwordFile))
  const recoveryKey = flags.recoveryKeyFile === undefined ? undefined : (await readText(flags.recoveryKeyFile)).trim()
  if (!password && !recoveryKey) return undefined
  return { ...(password ? { passwords: [password] } : {}), ...(recoveryKey ? { recoveryKey } : {}) }
}

function newKeys(keys: KeysToTry | undefined): NewKey[] {
  if (!keys) throw noKey()
  const passwords = (keys.passwords ?? []).map((encryptionKey) => ({ encryptionKey }))
  return keys.recoveryKey ? [...passwords, { recoveryKey: keys.recoveryKey }] : passwords
}

function noKey(): Error {
  return cliError('CLI_USAGE', 'no key was given: use --password-file, --recovery-key-file or HOLDFAST_REPO_PASSWORD')
}
