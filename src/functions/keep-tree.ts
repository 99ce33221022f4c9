import { posix } from 'node:path'
import { formatBytes } from '../base/bytes.ts'
import type { Repository } from '../repository/repository.ts'
import { claimTag, resumedTag } from './backup-tag.ts'
import { type ContainerName, execTarget, placeOf } from './container-name.ts'
import type { FunctionContext } from './context.ts'
import { shortSnapshotId } from './data-repository.ts'
import { functionError } from './errors.ts'
import { functionVersion } from './function-version.ts'
import { uploadProgress } from './progress-bytes.ts'
import { resumableBackup } from './resumable-backup.ts'
import { type TarProgram, type TarTree, probeTar } from './tar-program.ts'
import { tarOutput } from './tar-stream.ts'

/** A file tree as a snapshot. */
export interface KeptTree {
  readonly snapshotId: string
  readonly tag: string
  readonly fileCount: number
  readonly sizeBytes: number
  readonly addedPackedBytes: number
}

export interface TreeSource {
  readonly place: ContainerName
  /** Directory or file, as the container sees it. */
  readonly includePath: string
  /** @default the name of the pod */
  readonly host?: string
}

/** Outputs of the functions that keep one tree, and what each is. */
export const keptTreeOutputs = {
  backupID: 'Short id of the snapshot.',
  backupTag: 'A tag that only this snapshot has.',
  fileCount: 'Number of files.',
  size: 'Bytes of all files, such as `2.861 MiB`.',
  phySize: 'Bytes that the store had to take for it, in the same form.',
  version: 'Version of the function.',
} as const

export function outputsOf(kept: KeptTree): Record<keyof typeof keptTreeOutputs, string> {
  return {
    backupID: shortSnapshotId(kept.snapshotId),
    backupTag: kept.tag,
    fileCount: String(kept.fileCount),
    size: formatBytes(kept.sizeBytes),
    phySize: formatBytes(kept.addedPackedBytes),
    version: functionVersion,
  }
}

/** An empty path would be resolved to where commands of the image begin, mostly the root: a template that came out empty must not keep all of it. */
export function checkIncludePath({ includePath }: { readonly includePath: string }): string[] {
  return includePath.trim() === '' ? ['includePath is empty; name the directory or file to keep'] : []
}

/** Streams a tree out of a container into a snapshot. The tag of the snapshot is noted first; see `findKeptTree`. */
export async function keepTree(ctx: FunctionContext, repository: Repository, source: TreeSource): Promise<KeptTree> {
  const { place, includePath, host = place.pod } = source
  const program = await probeTar(ctx.kube.exec, place, { signal: ctx.signal })
  sayLosses(ctx, program, place)
  const path = posix.resolve(program.cwd, includePath)
  const tree = treeAt(path, await kindOfPath(ctx, place, path))
  const tag = await claimTag(ctx)
  const result = await repository.backupTar({
    ...(await resumableBackup(ctx, repository, tag)),
    tar: tarOutput(ctx, place, program, tree),
    prefixPath: tree.folder,
    paths: [path],
    tags: [tag],
    host,
    onProgress: uploadProgress(ctx),
    onWarning: (warning) => ctx.warn(warning),
    signal: ctx.signal,
  })
  return { ...result, tag }
}

/** What an earlier attempt had finished when its process died. */
export async function findKeptTree(ctx: FunctionContext, repository: Repository): Promise<KeptTree | undefined> {
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
