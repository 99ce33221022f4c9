import { posix } from 'node:path'
import type { Snapshot, SnapshotQuery } from '../repository/snapshots.ts'
import { map, object, optional, text, withDefault } from '../schema/build.ts'
import { claimsOfPod, resolveClaims } from './claims.ts'
import { feedCommand, placeOf } from './command-stream.ts'
import { openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { idleCommand, jobNamespace, mainContainer } from './job-pod.ts'
import { podArgs } from './pod-args.ts'
import { downloadProgress } from './progress-bytes.ts'
import { repositoryArgs } from './repository-args.ts'
import { execRules, jobPodRules, repositoryRules } from './rights.ts'
import { withJobPod } from './run-job-pod.ts'
import { getSnapshot } from './snapshot.ts'
import { extractTarCommand, probeTar } from './tar-program.ts'

/** Seen with BusyBox 1.35: it makes symbolic links last, and only makes them. */
const busyboxLosses =
  'times have whole seconds, and symbolic links lose their owner and time, as do directories that hold one their time'

export const restoreData = defineFunction({
  name: 'RestoreData',
  summary:
    'Restores a snapshot of BackupData into volumes that a pod of its own mounts. The image needs `sh`, `tail` and `tar`.',
  args: object({
    namespace: text('Namespace of the claims and of the pod.'),
    image: text('Image of the pod.'),
    backupTag: withDefault(optional(text('Output `backupTag` of BackupData; or give backupIdentifier.')), ''),
    backupIdentifier: withDefault(optional(text('Output `backupID` of BackupData; or give backupTag.')), ''),
    pod: withDefault(
      optional(text('Pod of the object acted on: its claims are mounted where it has them; or give volumes.')),
      '',
    ),
    volumes: optional(map(text('Path.'), 'Claims to mount: name → path; or give pod.')),
    restorePath: withDefault(
      optional(text('Where the files go: below it they have the paths that they had when they were kept.')),
      '/',
    ),
    backupPath: withDefault(
      optional(text('Only this directory of the snapshot; its content goes directly into restorePath.')),
      '',
    ),
    ...repositoryArgs,
    ...podArgs,
  }),
  outputs: {},
  makesPods: true,
  notes: [
    'Kanister runs restic in the pod; here the engine reads the repository and streams a tar into `tar -x`, and no credential goes into the pod.',
    'Ownership is restored where the pod runs as root; modes, times, links and holes always. Files that are there and not in the snapshot stay.',
    'With a backupPath, restorePath itself gets the owner and mode of that directory.',
    `With BusyBox tar ${busyboxLosses}; use an image with GNU tar where that matters.`,
  ],
  rbac: [...jobPodRules, ...execRules, ...repositoryRules],
  resume: 'restart',
  checkArgs: ({ backupTag, backupIdentifier, pod, volumes, restorePath }) => [
    ...(!backupTag === !backupIdentifier ? ['Require one argument: backupTag or backupIdentifier'] : []),
    ...(!pod === (Object.keys(volumes ?? {}).length === 0) ? ['Require one argument: pod or volumes'] : []),
    ...(restorePath === undefined || restorePath.startsWith('/') ? [] : ['restorePath must begin with /']),
  ],
  async run(ctx, args) {
    await using repository = await openDataRepository(ctx, { ...args, create: false })
    const query: SnapshotQuery = args.backupTag ? { tag: args.backupTag } : { id: args.backupIdentifier ?? '' }
    const snapshot = await getSnapshot(repository, query, ctx.signal)
    const namespace = jobNamespace(args.namespace, ctx.engine)
    const volumes = await resolveClaims(ctx, namespace, args.pod ? claimsOfPod(ctx, args.pod) : (args.volumes ?? {}))
    const request = { prefix: 'restore-data-', namespace, image: args.image, command: idleCommand, volumes, args, adopt: false }
    await withJobPod(ctx, request, async (pod) => {
      const place = { namespace, pod: pod.name, container: mainContainer }
      const program = await probeTar(ctx.kube.exec, place, { signal: ctx.signal })
      if (program.uid !== 0)
        ctx.warn(`${placeOf(place)} runs as user ${program.uid}, not as root: the ownership of files cannot be restored`)
      if (program.kind === 'busybox') ctx.warn(`${placeOf(place)} has BusyBox tar: ${busyboxLosses}`)
      const target = posix.resolve('/', args.restorePath || '/')
      const stream = repository.restoreTar({
        snapshot: { id: snapshot.id },
        ...selection(snapshot, args.backupPath),
        onWarning: (warning) => ctx.warn(warning),
        signal: ctx.signal,
      })
      const bytes = downloadProgress(ctx, stream, snapshot.summary?.totalBytes ?? 0)
      await feedCommand(ctx, place, extractTarCommand(program, target), bytes)
    })
    return undefined
  },
})

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
