import { createHash } from 'node:crypto'
import { repositoryError } from '../repository/errors.ts'
import type { Repository } from '../repository/repository.ts'
import { flag, integer, list, object, optional, text, withDefault } from '../schema/build.ts'
import { claimTag, resumedOutputs, resumedTag } from './backup-tag.ts'
import { commandOutput } from './command-stream.ts'
import type { FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { uploadProgress } from './progress-bytes.ts'
import { containerArgs, streamRepositoryArgs } from './repository-args.ts'
import { resumableBackup } from './resumable-backup.ts'
import { execRules, repositoryRules } from './rights.ts'
import { type ContainerName, placeOf } from './container-name.ts'
import { openStreamRepository, streamRepositoryPath } from './stream-repository.ts'

export const backupStream = defineFunction({
  name: 'BackupStream',
  summary:
    'Runs a command in a running container and keeps what it prints as a snapshot: deduplicated, encrypted, in constant memory.',
  args: object({
    ...containerArgs,
    command: list(
      text('A word.'),
      'The command whose stdout is the backup, such as `pg_dump`. There is no shell unless you name one.',
    ),
    name: withDefault(optional(text('Name of the stream in the snapshot, such as `dump.sql`.')), 'stream'),
    tags: withDefault(optional(list(text('A tag.'), 'Tags of the snapshot, for people and for `restic`.')), []),
    minBytes: withDefault(optional(integer('Fewer bytes than this are a failure.', { minimum: 0 })), 1),
    allowEmpty: withDefault(optional(flag('An empty stream is no failure.')), false),
    ...streamRepositoryArgs,
  }),
  outputs: {
    snapshotID: 'Id of the snapshot: give it to RestoreStream and DeleteStream.',
    repository: "Path of the repository below the Profile's prefix: give it to them too.",
    path: 'Path of the stream in the snapshot.',
    size: 'Length of the stream in bytes, as text.',
    sha256: 'SHA-256 of the stream in hex: give it to RestoreStream to have it compared.',
    addedBytes: 'Bytes that the store had to take for it, as text.',
    backupTag: 'A tag that only this snapshot has.',
  },
  aliases: { filename: 'name' },
  reportsMarkers: true,
  notes: [
    'Stdout is the backup, so outputs are reported on stderr: `kando output KEY VALUE >&2`. Figures that a restore is to be compared with are reported so.',
    'A command that ends with another code than 0, prints nothing, prints less than `minBytes` or whose output breaks off is a failure, and leaves no snapshot.',
    'In a shell, write `set -o pipefail` where the shell has it: otherwise only the last command of a pipe decides.',
    'After a crash the command is run again from its start, unless its snapshot was finished already; what was stored before is not sent again.',
  ],
  rbac: [...execRules, ...repositoryRules],
  resume: 'continue',
  async run(ctx, args) {
    const place = { namespace: args.namespace, pod: args.pod, container: args.container }
    const least = args.allowEmpty ? 0 : (args.minBytes ?? 1)
    await using repository = await openStreamRepository(ctx, { ...args, create: true })
    const kept =
      (await finishedBefore(ctx, repository)) ??
      (await keep(ctx, repository, { ...args, filename: args.name || 'stream', place, least }))
    return {
      ...kept.outputs,
      snapshotID: kept.snapshotId,
      repository: streamRepositoryPath(args),
      path: kept.path,
      size: String(kept.sizeBytes),
      sha256: kept.sha256,
      addedBytes: String(kept.addedBytes),
      backupTag: kept.tag,
    }
  },
})

interface Kept {
  readonly snapshotId: string
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
  readonly addedBytes: number
  readonly tag: string
  readonly outputs: Readonly<Record<string, string>>
}

interface KeepRequest {
  readonly place: ContainerName
  readonly command: readonly string[]
  readonly filename: string
  readonly tags?: readonly string[] | undefined
  readonly least: number
}

async function keep(ctx: FunctionContext, repository: Repository, request: KeepRequest): Promise<Kept> {
  const { place, command, filename, least } = request
  const tag = await claimTag(ctx)
  const tooShort = (sizeBytes: number): Error =>
    functionError(
      'FUNCTION_STREAM_EMPTY',
      `the command in ${placeOf(place)} ended with 0 but printed ${sizeBytes} bytes, and at least ${least} are wanted; nothing was kept. ` +
        'Check the command, or lower minBytes (allowEmpty: true for an empty stream)',
    )
  const resumable = await resumableBackup(ctx, repository, tag)
  let outputs: Kept['outputs'] = {}
  try {
    const result = await repository.backupStream({
      ...resumable,
      stream: commandOutput(ctx, place, command, (reported) => void (outputs = reported)),
      filename,
      tags: [tag, ...(request.tags ?? [])],
      host: place.namespace,
      allowEmpty: least === 0,
      confirm: async ({ sizeBytes }) => {
        if (sizeBytes < least) throw tooShort(sizeBytes)
        await resumable.noteOutputs(outputs)
      },
      onProgress: uploadProgress(ctx),
      onWarning: (warning) => ctx.warn(warning),
      signal: ctx.signal,
    })
    return { ...result, path: pathIn(filename), addedBytes: result.addedPackedBytes, tag, outputs }
  } catch (error) {
    throw repositoryError.is(error, 'REPOSITORY_EMPTY_STREAM') ? tooShort(0) : error
  }
}

/** What an earlier attempt had finished when its process died: read once more for its hash, which no snapshot holds. */
async function finishedBefore(ctx: FunctionContext, repository: Repository): Promise<Kept | undefined> {
  const tag = resumedTag(ctx.resumed)
  const snapshot = tag === undefined ? undefined : await repository.findSnapshot({ tag }, { signal: ctx.signal })
  if (tag === undefined || !snapshot) return undefined
  const path = snapshot.paths[0] ?? ''
  const hash = createHash('sha256')
  let sizeBytes = 0
  for await (const bytes of repository.restoreStream({ snapshot: { id: snapshot.id }, lend: true, signal: ctx.signal })) {
    hash.update(bytes)
    sizeBytes += bytes.length
  }
  const addedBytes = snapshot.summary?.dataAddedPacked ?? 0
  const outputs = resumedOutputs(ctx.resumed)
  return { snapshotId: snapshot.id, path, sizeBytes, sha256: hash.digest('hex'), addedBytes, tag, outputs }
}

function pathIn(filename: string): string {
  return `/${filename
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .join('/')}`
}
