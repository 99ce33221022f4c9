import { createHash } from 'node:crypto'
import { flag, list, object, optional, text, withDefault } from '../schema/build.ts'
import { feedCommand } from './command-stream.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { downloadProgress } from './progress-bytes.ts'
import { containerArgs, streamRepositoryArgs } from './repository-args.ts'
import { noteRestoreLocks, removeRestoreLocks } from './restore-checkpoint.ts'
import { execRules, repositoryRules } from './rights.ts'
import { getSnapshot } from './snapshot.ts'
import { openStreamRepository } from './stream-repository.ts'

export const restoreStream = defineFunction({
  name: 'RestoreStream',
  summary: 'Runs a command in a running container with a stream of BackupStream as its stdin.',
  args: object({
    ...containerArgs,
    command: list(
      text('A word.'),
      'The command that reads the backup from its stdin, such as `psql`. There is no shell unless you name one.',
    ),
    snapshotID: text('Output `snapshotID` of BackupStream, or the beginning of it.'),
    path: optional(text('Output `path` of BackupStream. Default: the one file of the snapshot.')),
    sha256: optional(text('Output `sha256` of BackupStream: the stream must have it.')),
    repeatable: withDefault(
      optional(
        flag(
          'The command may run again from its start when the engine died in the middle of it: it replaces what is there, or works in one transaction.',
        ),
      ),
      false,
    ),
    ...streamRepositoryArgs,
  }),
  outputs: {
    size: 'Length of the stream in bytes, as text.',
    sha256: 'SHA-256 of the stream in hex.',
  },
  reportsMarkers: true,
  notes: [
    'The command sees the end of its input only after the whole stream was verified. If it cannot be, the command is ended, so that it never takes half of a stream for all of it.',
    'A default repository is that of the namespace of this pod. To restore into another namespace, pass the output `repository` of the backup.',
    'After a crash the phase fails unless `repeatable` is set.',
  ],
  rbac: [...execRules, ...repositoryRules],
  resume: 'restart',
  checkArgs: ({ sha256 }) =>
    !sha256 || /^[0-9a-f]{64}$/i.test(sha256) ? [] : ['sha256 must be 64 hex digits, or be left out'],
  async run(ctx, args) {
    await using repository = await openStreamRepository(ctx, { ...args, create: false })
    await removeRestoreLocks(ctx, repository)
    if (ctx.resumed !== undefined && !args.repeatable) throw interrupted()
    const snapshot = await getSnapshot(repository, { id: args.snapshotID }, ctx.signal)
    const seen: Seen = { sizeBytes: 0, sha256: '' }
    const stream = repository.restoreStream({
      snapshot: { id: snapshot.id },
      ...(args.path ? { path: args.path } : {}),
      ...noteRestoreLocks(ctx, snapshot.id),
      onWarning: (warning) => ctx.warn(warning),
      signal: ctx.signal,
    })
    const verified = verify(downloadProgress(ctx, stream, snapshot.summary?.totalBytes ?? 0), args.sha256, seen)
    await ctx.checkpoint({ restoring: snapshot.id, restoreLocks: [] })
    const place = { namespace: args.namespace, pod: args.pod, container: args.container }
    const output = await feedCommand(ctx, place, args.command, verified)
    requireAllRead(seen)
    return { ...output.outputs(), size: String(seen.sizeBytes), sha256: seen.sha256 }
  },
})

interface Seen {
  sizeBytes: number
  /** Empty until the stream ended well. */
  sha256: string
}

/** Passes a stream on and fails, instead of ending, when it is not what was backed up. */
async function* verify(stream: AsyncIterable<Uint8Array>, wanted: string | undefined, seen: Seen): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  for await (const bytes of stream) {
    hash.update(bytes)
    seen.sizeBytes += bytes.length
    yield bytes
  }
  const sha256 = hash.digest('hex')
  if (wanted && wanted.toLowerCase() !== sha256) {
    throw functionError(
      'FUNCTION_STREAM_DIFFERS',
      `the stream has SHA-256 ${sha256}, but ${wanted.toLowerCase()} was asked for; the command was ended before it saw the end of its input`,
    )
  }
  seen.sha256 = sha256
}

/** A command may end well without reading all: then it cannot have restored all. */
function requireAllRead({ sizeBytes, sha256 }: Seen): void {
  if (sha256 !== '') return
  throw functionError(
    'FUNCTION_STREAM_DIFFERS',
    `the command ended with 0 before it had read its input: it was given ${sizeBytes} bytes and there were more; what it restored is not whole`,
  )
}

function interrupted(): Error {
  return functionError(
    'FUNCTION_INTERRUPTED',
    'the engine died while the command ran, and it is not known how far it came; check the application and restore again, ' +
      'or set repeatable: true in the Blueprint if the command may run twice',
  )
}
