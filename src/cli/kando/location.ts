import { Command, Option } from 'commander'
import { renderPhaseOutput } from '../../api/phase-output.ts'
import { releaseChunk } from '../../base/release-chunk.ts'
import { locationKey, locationKeyBelow, type OpenedStore } from '../../store/location.ts'
import { type ResolvedProfile, parseProfileJson } from '../../store/profile-json.ts'
import { deleteObjectTree, pullObject, pushObject } from '../../store/plain-object.ts'
import { cliError } from '../errors.ts'
import type { KandoDeps, Target } from './deps.ts'
import { newSnapshot, parseSnapshot, renderSnapshot } from './named-snapshot.ts'
import { checkOutputKey } from './output.ts'

interface LocationFlags {
  readonly profile?: string
  readonly path: string
  readonly outputName?: string
  readonly kopiaSnapshot?: string
  readonly repositoryServer?: string
  readonly repositoryServerUserHostname?: string
}

/** `kando location push|pull|delete`: a stream to one object of the Profile's location, back, and away. */
export function locationCommand(deps: KandoDeps): Command {
  return new Command('location')
    .description('Push, pull and delete objects in the location of a Profile.')
    .addCommand(pushCommand(deps))
    .addCommand(pullCommand(deps))
    .addCommand(deleteCommand(deps))
}

function pushCommand(deps: KandoDeps): Command {
  return withFlags(new Command('push'))
    .description('Store a file, or what comes on stdin, as one object, with a manifest of length and SHA-256 beside it.')
    .argument('<source>', 'a file, or - for stdin')
    .option('-o, --output-name <name>', 'store below the path, and print an output of this name for --kopia-snapshot')
    .action((source: string, flags: LocationFlags) =>
      withLocation(deps, flags, (place) => pushAs(deps, place, source, flags.outputName)),
    )
}

function pullCommand(deps: KandoDeps): Command {
  return withFlags(new Command('pull'))
    .description(
      'Fetch an object into a file or to stdout; refuses one that differs from its manifest before its end is given out.',
    )
    .argument('<target>', 'a file, or - for stdout')
    .option('-k, --kopia-snapshot <json>', 'what a push with --output-name printed')
    .action((target: string, flags: LocationFlags) => withLocation(deps, flags, (place) => pull(deps, place, target)))
}

function deleteCommand(deps: KandoDeps): Command {
  return withFlags(new Command('delete'))
    .description('Delete the object at the path, its manifest, and everything below <path>/.')
    .option('-k, --kopia-snapshot <json>', 'what a push with --output-name printed: delete that one alone')
    .action((flags: LocationFlags) => withLocation(deps, flags, (place) => remove(deps, place)))
}

function withFlags(command: Command): Command {
  return (
    command
      .option('-p, --profile <json>', 'the Profile, as {{ toJson .Profile }} renders it')
      .option('-s, --path <suffix>', 'path below the prefix of the Profile', '')
      // Of Kanister up to 0.119: understood, so that the answer is the way out and not "unknown option".
      .addOption(new Option('-r, --repository-server <json>').hideHelp())
      .addOption(new Option('-c, --repository-server-user-hostname <name>').hideHelp())
  )
}

interface Place {
  readonly profile: ResolvedProfile
  readonly path: string
  readonly store: OpenedStore
}

async function withLocation(deps: KandoDeps, flags: LocationFlags, work: (place: Place) => Promise<void>): Promise<void> {
  if (flags.repositoryServer !== undefined || flags.repositoryServerUserHostname !== undefined) {
    throw cliError(
      'CLI_USAGE',
      "kando keeps no Kopia repository: instead of --repository-server give --profile '{{ toJson .Profile }}' with the object store, which takes --output-name and --kopia-snapshot too",
    )
  }
  if (flags.profile === undefined || flags.profile === '') {
    throw cliError('CLI_USAGE', "Please provide the --profile flag: --profile '{{ toJson .Profile }}'")
  }
  const profile = parseProfileJson(flags.profile)
  await using store = deps.openStore(profile)
  const { path, kopiaSnapshot } = flags
  await work({ profile, path: kopiaSnapshot ? parseSnapshot(path, kopiaSnapshot).path : path, store })
}

async function pushAs(deps: KandoDeps, place: Place, source: string, name = ''): Promise<void> {
  if (name === '') return void (await push(deps, place, source))
  checkOutputKey(name)
  keyOf(place)
  const snapshot = newSnapshot(place.path)
  const sizeBytes = await push(deps, { ...place, path: snapshot.path }, source)
  deps.output.out(`${renderPhaseOutput({ key: name, value: renderSnapshot(snapshot, sizeBytes) })}\n`)
}

async function push(deps: KandoDeps, place: Place, source: string): Promise<number> {
  const { output, signal } = deps
  const key = keyOf(place)
  const { sizeBytes } = await pushObject(place.store, key, await deps.openSource(source, signal), {
    signal,
    // A file gives the same bytes again, so a push that was killed goes on with what the store has of it.
    resume: source !== '-',
  })
  // As Kanister, an empty object is stored; unlike there, it is not silent, since a dump that failed looks like this.
  if (sizeBytes === 0) output.err(`Warning: object "${key}" is empty: nothing came from ${source}\n`)
  return sizeBytes
}

async function pull(deps: KandoDeps, place: Place, name: string): Promise<void> {
  const key = keyOf(place)
  let target: Target | undefined
  try {
    for await (const chunk of pullObject(place.store, key, { signal: deps.signal })) {
      // Opened with the first byte: what cannot be read leaves an existing file alone.
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

async function remove({ signal }: KandoDeps, { store, profile, path }: Place): Promise<void> {
  await deleteObjectTree(store, locationKeyBelow(profile, path), { signal })
}

function keyOf({ profile, path }: Place): string {
  const key = locationKey(profile, path)
  if (key === '')
    throw cliError('CLI_USAGE', 'the path is empty: give --path, the name of the object below the prefix of the Profile')
  return key
}
