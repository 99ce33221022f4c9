import { Command } from 'commander'
import { releaseChunk } from '../../base/release-chunk.ts'
import { storeError } from '../../store/errors.ts'
import { besideMark } from '../../store/manifest.ts'
import type { ObjectStore } from '../../store/object-store.ts'
import { locationKey } from '../../store/location.ts'
import { pullObject, pushObject } from '../../store/plain-object.ts'
import { type ResolvedProfile, parseProfileJson } from '../../store/profile-json.ts'
import { cliError } from '../errors.ts'
import type { KandoDeps, Target } from './deps.ts'
import { parseGoDuration } from './go-duration.ts'

/** The text of a pointer is a path; more is none. */
const largestPointerBytes = 4096
const pullTries = 5

/** `kando chronicle push|pull`: what a command prints, again and again, each time in place of the time before. */
export function chronicleCommand(deps: KandoDeps): Command {
  return new Command('chronicle')
    .description('Keep the latest output of a command in the location of a Profile.')
    .addCommand(pushCommand(deps))
    .addCommand(pullCommand(deps))
}

interface PushFlags {
  readonly profilePath: string
  readonly artifactPath: string
  readonly envDir?: string
  readonly frequency: string
}

function pushCommand(deps: KandoDeps): Command {
  return new Command('push')
    .description(
      'Run a command every so often and store what it prints; a round that fails ends it, and leaves the one before.',
    )
    .argument('<command...>', 'given to sh -c')
    .requiredOption('-p, --profile-path <file>', 'file with the Profile as JSON; a round without it is left out')
    .requiredOption('-s, --artifact-path <file>', 'file with the path below the prefix of the Profile')
    .option('-e, --env-dir <folder>', 'folder whose files are the environment of the command, all of it')
    .option('-f, --frequency <duration>', 'from one round to the next', '1m')
    .action((words: string[], flags: PushFlags) => pushRounds(deps, words.join(' '), flags))
}

async function pushRounds(deps: KandoDeps, command: string, flags: PushFlags): Promise<void> {
  const everyMs = parseGoDuration(flags.frequency)
  if (everyMs === undefined || everyMs <= 0)
    throw cliError('CLI_USAGE', `--frequency "${flags.frequency}" is not a time like 30s or 1h30m`)
  try {
    for (;;) {
      const start = deps.clock.now()
      await pushRound(deps, command, flags)
      await deps.clock.sleep(Math.max(0, start + everyMs - deps.clock.now()), deps.signal)
    }
  } catch (error) {
    // Told to end: what was stored before is whole, so that is no failure.
    if (!deps.signal.aborted) throw error
  }
}

async function pushRound(deps: KandoDeps, command: string, flags: PushFlags): Promise<void> {
  deps.signal.throwIfAborted()
  const text = await deps.findText(flags.profilePath)
  if (text === undefined) return
  const profile = parseProfileJson(text)
  const path = ((await deps.findText(flags.artifactPath)) ?? '').trim()
  const pointer = pointerKey(profile, path)
  await using store = deps.openStore(profile)
  const { signal } = deps
  // Counts on from what an earlier process stored, so nothing of it stays behind.
  const before = await findPointed(store, pointer, signal)
  const next = `${path}-${ordinalOf(path, before) + 1}`
  const env = flags.envDir === undefined ? undefined : await deps.readFolder(flags.envDir)
  await pushObject(store, locationKey(profile, next), deps.openCommand(command, env, signal), { signal })
  await store.put(pointer, Buffer.from(next), { signal })
  if (before === undefined || before === next) return
  await removeOne(store, locationKey(profile, before), signal)
}

/** The object and what belongs to it; nothing that only begins alike. */
async function removeOne(store: ObjectStore, key: string, signal: AbortSignal): Promise<void> {
  await store.delete(key, { signal })
  for await (const { key: beside } of store.list(`${key}${besideMark}`, { signal })) await store.delete(beside, { signal })
}

interface PullFlags {
  readonly profile?: string
  readonly path: string
}

function pullCommand(deps: KandoDeps): Command {
  return new Command('pull')
    .description('Fetch what a push stored last into a file or to stdout.')
    .argument('<target>', 'a file, or - for stdout')
    .option('-p, --profile <json>', 'the Profile, as {{ toJson .Profile }} renders it')
    .option('-s, --path <suffix>', 'path below the prefix of the Profile', '')
    .action((target: string, flags: PullFlags) => pullLatest(deps, target, flags))
}

async function pullLatest(deps: KandoDeps, name: string, { profile: json = '', path }: PullFlags): Promise<void> {
  if (json === '') throw cliError('CLI_USAGE', "Please provide the --profile flag: --profile '{{ toJson .Profile }}'")
  const profile = parseProfileJson(json)
  await using store = deps.openStore(profile)
  const pointer = pointerKey(profile, path)
  for (let tries = 1; ; tries++) {
    const pointed = await findPointed(store, pointer, deps.signal)
    if (pointed === undefined) {
      throw storeError('STORE_NOT_FOUND', `nothing was pushed to "${pointer}" in ${store.description} yet`)
    }
    try {
      return await pullInto(deps, store, locationKey(profile, pointed), name)
    } catch (error) {
      // A round that ended meanwhile has taken it away, and the pointer says what came instead.
      if (!storeError.is(error, 'STORE_NOT_FOUND') || tries >= pullTries) throw error
    }
  }
}

async function pullInto(deps: KandoDeps, store: ObjectStore, key: string, name: string): Promise<void> {
  let target: Target | undefined
  try {
    for await (const chunk of pullObject(store, key, { signal: deps.signal })) {
      target ??= await deps.openTarget(name)
      await target.write(chunk)
      releaseChunk(chunk)
    }
    target ??= await deps.openTarget(name)
    await target.commit()
  } catch (error) {
    await target?.discard()
    throw error
  }
}

function pointerKey(profile: ResolvedProfile, path: string): string {
  const key = locationKey(profile, path)
  if (key === '') throw cliError('CLI_USAGE', 'the path is empty: name a place below the prefix of the Profile')
  return key
}

async function findPointed(store: ObjectStore, pointer: string, signal: AbortSignal): Promise<string | undefined> {
  try {
    return Buffer.from(await store.get(pointer, { limitBytes: largestPointerBytes, signal })).toString()
  } catch (error) {
    if (storeError.is(error, 'STORE_NOT_FOUND')) return undefined
    throw error
  }
}

function ordinalOf(path: string, pointed: string | undefined): number {
  const digits = pointed?.startsWith(`${path}-`) ? pointed.slice(path.length + 1) : ''
  return /^\d{1,15}$/.test(digits) ? Number(digits) : -1
}
