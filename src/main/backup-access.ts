import { randomInt } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { systemClock } from '../base/clock.ts'
import type { BackupDeps, OpenedPlace, PlaceFlags } from '../cli/commands/backup/deps.ts'
import { firstLine } from '../cli/commands/repo/key.ts'
import { parsePlace } from '../cli/commands/repo/place.ts'
import type { ConnectionFlags } from '../cli/kanctl/create-actionset/define.ts'
import { cliError } from '../cli/errors.ts'
import type { Output } from '../cli/output.ts'
import type { Kube } from '../kube/kube.ts'
import { type RecoveryKey, recoveryKeyOf } from '../recovery/place.ts'
import { FileStore } from '../store/file-store.ts'
import { openStore } from '../store/location.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { openStoreWith } from './own-identity.ts'
import { s3Profile } from './repo-access.ts'
import { keptKeys } from './recovery-place.ts'
import { findProfile } from './repo-by-profile.ts'
import { trusting } from './store-trust.ts'
import { version } from './version.ts'

interface Ways {
  readonly env: NodeJS.ProcessEnv
  readonly output: Output
  readonly signal: AbortSignal
  openKube(flags: ConnectionFlags): Promise<Kube>
}

/** What the commands `holdfast backup` and `holdfast dr` need. */
export function backupAccess(ways: Ways): BackupDeps {
  return {
    output: ways.output,
    clock: systemClock,
    signal: ways.signal,
    version,
    finish: (exitCode) => void (process.exitCode = exitCode),
    suffix: () => Array.from({ length: 5 }, () => 'bcdfghjklmnpqrstvwxz2456789'[randomInt(27)]).join(''),
    open: (flags) => (flags.profile === undefined ? openUrl(ways, flags) : openByProfile(ways, flags, flags.profile)),
    write: (bytes) => new Promise((done, fail) => process.stdout.write(bytes, (error) => (error ? fail(error) : done()))),
    saveFile: (file, bytes) => saveFile(file, bytes, ways.signal),
  }
}

async function openUrl(ways: Ways, flags: PlaceFlags): Promise<OpenedPlace> {
  if (flags.location === undefined)
    throw cliError('CLI_USAGE', 'no place was named: give --location s3:https://host/bucket/prefix, a folder, or --profile')
  const url = parsePlace(flags.location)
  const keys = await keysOf(flags)
  const passwords = await passwordsOf(flags)
  if (url.kind === 's3') {
    const opened = openStore(await trusting(s3Profile(ways.env, url), flags))
    const place = {
      root: opened,
      location: withPrefix(opened, url.path),
      bucket: url.bucket,
      prefix: url.path,
      keys,
      passwords,
    }
    return { place, [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose]() }
  }
  const store = new FileStore(resolve(url.path), { marked: false })
  return {
    place: { root: store, location: store, bucket: 'bucket', prefix: '', keys, passwords },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function openByProfile(ways: Ways, flags: PlaceFlags, name: string): Promise<OpenedPlace> {
  if (flags.location !== undefined) throw cliError('CLI_USAGE', 'give either --location or --profile')
  const kube = await ways.openKube(flags)
  const namespace = flags.namespace ?? kube.client.namespace
  const profile = await trusting(await findProfile(kube, name, namespace, ways.signal), flags)
  const given = await keysOf(flags)
  const keys = given.length > 0 ? given : await keptKeys(kube, namespace, ways.signal)
  const opened = openStoreWith(ways.env)(profile)
  const { bucket, prefix } = profile.location
  const [first = '', second] = name.split('/')
  return {
    place: {
      root: opened,
      location: withPrefix(opened, prefix),
      bucket,
      prefix: prefix.replace(/^\/+|\/+$/g, ''),
      keys,
      passwords: await passwordsOf(flags),
    },
    cluster: {
      kube,
      namespace,
      profile: second === undefined ? { name: first, namespace } : { name: second, namespace: first },
    },
    [Symbol.asyncDispose]: async () => opened[Symbol.asyncDispose](),
  }
}

async function keysOf({ recoveryKeyFile = [] }: PlaceFlags): Promise<RecoveryKey[]> {
  return await Promise.all(recoveryKeyFile.map(async (file) => recoveryKeyOf((await readFile(file, 'utf8')).trim())))
}

async function passwordsOf({ passwordFile }: PlaceFlags): Promise<string[]> {
  return passwordFile === undefined ? [] : [firstLine(await readFile(passwordFile, 'utf8'))]
}

/** Beside its place until it is whole, so that half a dump is never taken for one. */
async function saveFile(file: string, bytes: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<number> {
  const part = `${file}.part`
  const target = createWriteStream(part, { mode: 0o600 })
  try {
    await pipeline(bytes, target, { signal })
    await rename(part, file)
    return target.bytesWritten
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
