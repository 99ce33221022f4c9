import { posix } from 'node:path'
import type { Snapshot, SnapshotQuery } from '../repository/snapshots.ts'
import { nodeOfClaims } from './claim-users.ts'
import { resolveClaims } from './claims.ts'
import { feedCommand } from './command-stream.ts'
import type { FunctionContext } from './context.ts'
import { type DataRepositoryArgs, openDataRepository } from './data-repository.ts'
import { idleCommand, jobNamespace, mainContainer } from './job-pod.ts'
import { readJobCheckpoint } from './job-checkpoint.ts'
import { partContexts } from './phase-parts.ts'
import type { PodArgs } from './pod-args.ts'
import { downloadProgress } from './progress-bytes.ts'
import type { Repository } from '../repository/repository.ts'
import { type ContainerName, placeOf } from './container-name.ts'
import { noteRestoreLocks, removeRestoreLocks } from './restore-checkpoint.ts'
import { withJobPod } from './run-job-pod.ts'
import { getSnapshot } from './snapshot.ts'
import { extractTarCommand, probeTar } from './tar-program.ts'

/** Seen with BusyBox 1.35: it makes symbolic links last, and only makes them. */
export const busyboxLosses =
  'times have whole seconds, and symbolic links lose their owner and time, as do directories that hold one their time'

export interface VolumeRestore {
  readonly repository: Omit<DataRepositoryArgs, 'create'>
  readonly snapshot: SnapshotQuery
  /** Of the claims and of the pod. */
  readonly namespace: string
  /** Claims to mount: name → path. */
  readonly mounts: Readonly<Record<string, string>>
  readonly restorePath: string | undefined
  readonly backupPath?: string | undefined
  /** Kanister's prefix of the function's pods. */
  readonly prefix: string
  readonly image: string
  readonly args: PodArgs
}

/** Makes a pod that mounts the claims and streams the snapshot into its tar. The pod is gone when this returns. */
export async function restoreIntoVolumes(ctx: FunctionContext, restore: VolumeRestore): Promise<void> {
  await using repository = await openDataRepository(ctx, { ...restore.repository, create: false })
  const { ofPod, ofLocks } = remembered(ctx)
  await removeRestoreLocks(ofLocks, repository)
  const snapshot = await getSnapshot(repository, restore.snapshot, ctx.signal)
  const namespace = jobNamespace(restore.namespace, ctx.engine)
  const volumes = await resolveClaims(ctx, namespace, restore.mounts)
  const { prefix, image, args } = restore
  const node = await nodeOfClaims(ctx, namespace, Object.keys(restore.mounts))
  const request = { prefix, namespace, image, command: idleCommand, volumes, node, args, adopt: false, mover: true }
  await withJobPod(ofPod, request, (pod) =>
    restoreTree(ctx, repository, snapshot, {
      ...restore,
      place: { namespace, pod: pod.name, container: mainContainer },
      onLock: noteRestoreLocks(ofLocks, snapshot.id).onLock,
    }),
  )
}

/** The Run keeps two things of it, the pod and the locks. The pod has the name that it had when there was only the one. */
function remembered(ctx: FunctionContext): { readonly ofPod: FunctionContext; readonly ofLocks: FunctionContext } {
  const partOf = partContexts(ctx, ['pod', 'locks'])
  const ofPod = partOf('pod')
  return {
    ofPod: {
      ...ofPod,
      deriveName: (prefix) => ctx.deriveName(prefix),
      earlierNames: (prefix) => ctx.earlierNames(prefix),
      resumed: ofPod.resumed ?? readJobCheckpoint(ctx.resumed),
    },
    ofLocks: partOf('locks'),
  }
}

interface TreeRestore extends VolumeRestore {
  readonly place: ContainerName
  readonly onLock: (id: string) => Promise<void>
}

async function restoreTree(
  ctx: FunctionContext,
  repository: Repository,
  snapshot: Snapshot,
  { place, onLock, restorePath, backupPath }: TreeRestore,
): Promise<void> {
  const program = await probeTar(ctx.kube.exec, place, { signal: ctx.signal })
  if (program.uid !== 0)
    ctx.warn(`${placeOf(place)} runs as user ${program.uid}, not as root: the ownership of files cannot be restored`)
  if (program.kind === 'busybox') ctx.warn(`${placeOf(place)} has BusyBox tar: ${busyboxLosses}`)
  const target = posix.resolve('/', restorePath || '/')
  const stream = repository.restoreTar({
    snapshot: { id: snapshot.id },
    ...selection(snapshot, backupPath),
    onLock,
    onWarning: (warning) => ctx.warn(warning),
    signal: ctx.signal,
  })
  const bytes = downloadProgress(ctx, stream, snapshot.summary?.totalBytes ?? 0)
  await feedCommand(ctx, place, extractTarCommand(program, target), bytes)
}

/**
 * With a backupPath its content, without names above it. A snapshot of ours holds directories above its path that were never read, only
 * implied: they are not restored over what is there. restic's hold the real ones, and are restored as restic would.
 */
function selection(
  snapshot: Snapshot,
  backupPath: string | undefined,
): { readonly path?: string; readonly stripPrefix?: string } {
  if (backupPath) return { path: backupPath, stripPrefix: backupPath }
  const [path, ...more] = snapshot.paths
  const ours = snapshot.programVersion?.startsWith('holdfast') ?? false
  return ours && path !== undefined && more.length === 0 ? { path } : {}
}
