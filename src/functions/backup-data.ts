import { posix } from 'node:path'
import { formatBytes } from '../base/bytes.ts'
import type { Repository } from '../repository/repository.ts'
import { object, text } from '../schema/build.ts'
import { claimTag, resumedTag } from './backup-tag.ts'
import { placeOf } from './command-stream.ts'
import type { FunctionContext } from './context.ts'
import { openDataRepository, shortSnapshotId } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { functionVersion } from './function-version.ts'
import { uploadProgress } from './progress-bytes.ts'
import { repositoryArgs } from './repository-args.ts'
import { execRules, repositoryRules } from './rights.ts'
import { type ContainerName, execTarget } from './run-in-container.ts'
import { type TarProgram, type TarTree, probeTar } from './tar-program.ts'
import { tarOutput } from './tar-stream.ts'

export const backupData = defineFunction({
  name: 'BackupData',
  summary: 'Keeps a file tree of a running container as a snapshot. The image needs `sh` and `tar`, nothing else.',
  args: object({
    namespace: text('Namespace of the pod.'),
    pod: text('Name of the pod.'),
    container: text('Name of the container.'),
    includePath: text('Directory or file to keep, as the container sees it.'),
    ...repositoryArgs,
  }),
  outputs: {
    backupID: 'Short id of the snapshot.',
    backupTag: 'A tag that only this snapshot has.',
    fileCount: 'Number of files.',
    size: 'Bytes of all files, such as `2.861 MiB`.',
    phySize: 'Bytes that the store had to take for it, in the same form.',
    version: 'Version of the function.',
  },
  notes: [
    'Kanister runs restic in the container; here `tar` streams out of it by exec, and no credential goes into the pod. The repository is the same.',
    'GNU tar: a file that changes while it is read is a warning, one that cannot be read a failure. Fractions of seconds, holes and user attributes are kept.',
    'BusyBox tar: whole seconds only, no attributes, holes are read as zeros; a file that vanishes is a warning, everything else a failure.',
    'Sockets are left out and named in a warning. POSIX ACLs are not kept.',
  ],
  rbac: [...execRules, ...repositoryRules],
  resume: 'continue',
  async run(ctx, args) {
    const place = { namespace: args.namespace, pod: args.pod, container: args.container }
    await using repository = await openDataRepository(ctx, { ...args, create: true })
    const kept = (await finishedBefore(ctx, repository)) ?? (await keep(ctx, repository, place, args.includePath))
    return {
      backupID: shortSnapshotId(kept.snapshotId),
      backupTag: kept.tag,
      fileCount: String(kept.fileCount),
      size: formatBytes(kept.sizeBytes),
      phySize: formatBytes(kept.addedPackedBytes),
      version: functionVersion,
    }
  },
})

interface Kept {
  readonly snapshotId: string
  readonly tag: string
  readonly fileCount: number
  readonly sizeBytes: number
  readonly addedPackedBytes: number
}

async function keep(ctx: FunctionContext, repository: Repository, place: ContainerName, includePath: string): Promise<Kept> {
  const program = await probeTar(ctx.kube.exec, place, { signal: ctx.signal })
  sayLosses(ctx, program, place)
  const path = posix.resolve(program.cwd, includePath)
  const tree = treeAt(path, await kindOfPath(ctx, place, path))
  const tag = await claimTag(ctx)
  const result = await repository.backupTar({
    tar: tarOutput(ctx, place, program, tree),
    prefixPath: tree.folder,
    paths: [path],
    tags: [tag],
    host: place.pod,
    onProgress: uploadProgress(ctx),
    onWarning: (warning) => ctx.warn(warning),
    signal: ctx.signal,
  })
  return { ...result, tag }
}

/** What an earlier attempt had finished when its process died. */
async function finishedBefore(ctx: FunctionContext, repository: Repository): Promise<Kept | undefined> {
  const tag = resumedTag(ctx.resumed)
  const found = tag === undefined ? undefined : await repository.findSnapshot({ tag }, { signal: ctx.signal })
  if (tag === undefined || !found) return undefined
  const { totalFiles = 0, totalBytes = 0, dataAddedPacked = 0 } = found.summary ?? {}
  return { snapshotId: found.id, tag, fileCount: totalFiles, sizeBytes: totalBytes, addedPackedBytes: dataAddedPacked }
}

function sayLosses(ctx: Pick<FunctionContext, 'log' | 'warn'>, program: TarProgram, place: ContainerName): void {
  if (program.kind === 'gnu') return
  ctx.warn(
    `${placeOf(place)} has ${program.version || 'an unknown tar'}: fractions of seconds and extended attributes are not kept; GNU tar keeps them`,
  )
}

/** A directory gives its content, also through a symbolic link; anything else is kept by its name. */
function treeAt(path: string, kind: 'directory' | 'other'): TarTree {
  return kind === 'directory' ? { folder: path, name: '.' } : { folder: posix.dirname(path), name: posix.basename(path) }
}

async function kindOfPath(ctx: FunctionContext, place: ContainerName, path: string): Promise<'directory' | 'other'> {
  const script = 'if [ -d "$0" ]; then echo directory; elif [ -e "$0" ] || [ -h "$0" ]; then echo other; fi'
  const { stdout } = await ctx.kube.exec.capture(execTarget(place), ['sh', '-c', script, path], { signal: ctx.signal })
  const kind = stdout.trim()
  if (kind === 'directory' || kind === 'other') return kind
  throw functionError('FUNCTION_BAD_ARGS', `includePath: "${path}" does not exist in ${placeOf(place)}`)
}
