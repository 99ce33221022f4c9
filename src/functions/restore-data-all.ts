import { map, object, optional, text, withDefault } from '../schema/build.ts'
import { type PodBackup, backupInfoArg, parseBackupAllInfo } from './backup-all-info.ts'
import { claimsOfPod } from './claims.ts'
import type { FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { eachPart } from './phase-parts.ts'
import { podArgs } from './pod-args.ts'
import { podRepository } from './pod-repository.ts'
import { podsOf, severalPodsArgs } from './pods-of-workload.ts'
import { repositoryArgs } from './repository-args.ts'
import { restoreIntoVolumes } from './restore-into-volumes.ts'
import { execRules, jobPodRules, repositoryRules } from './rights.ts'

/** Each is a pod to schedule and a repository in memory. */
const podsAtOnce = 4

export const restoreDataAll = defineFunction({
  name: 'RestoreDataAll',
  summary: 'RestoreData for several pods: what BackupDataAll kept of each goes into the volumes of the pod of that name.',
  args: object({
    namespace: text('Namespace of the claims and of the pods that are made.'),
    image: text('Image of those pods.'),
    backupInfo: backupInfoArg,
    restorePath: withDefault(
      optional(text('Where the files go: below it they have the paths that they had when they were kept.')),
      '/',
    ),
    ...severalPodsArgs,
    podMap: optional(map(text('Name of the pod now.'), 'Pods that have another name now: name at backup → name now.')),
    ...repositoryArgs,
    ...podArgs,
  }),
  outputs: {},
  makesPods: true,
  notes: [
    'Each pod is restored by a pod of its own that mounts the claims of the pod of that name, four at once. The first failure ends the others.',
    '`podMap` restores where pods were renamed, such as those of a Deployment; Kanister has no such thing.',
    'A pod without a backup is a failure before anything is restored; a backup without a pod is a warning.',
    'The prefix gets the bucket put before it where it lacks it, as in BackupDataAll; Kanister forgets that here.',
    'No pod is a failure, unless `allowEmpty` is set. All that is said of tar at RestoreData is so here.',
  ],
  rbac: [...jobPodRules, ...execRules, ...repositoryRules],
  resume: 'restart',
  checkArgs: ({ restorePath, podMap }) => {
    const targets = Object.values(podMap ?? {})
    return [
      ...(restorePath === undefined || restorePath.startsWith('/') ? [] : ['restorePath must begin with /']),
      ...(new Set(targets).size === targets.length ? [] : ['podMap sends two backups to one pod']),
    ]
  },
  async run(ctx, args) {
    const { namespace, image, restorePath } = args
    const sources = sourcesOf(ctx, args)
    await eachPart(ctx, [...sources.keys()], podsAtOnce, (part, pod) => {
      // The keys of the map are the names of the parts.
      const source = sources.get(pod) as Source
      return restoreIntoVolumes(part, {
        repository: { ...args, backupArtifactPrefix: podRepository(args.backupArtifactPrefix, source.pod) },
        snapshot: source.BackupID ? { id: source.BackupID } : { tag: source.BackupTag ?? '' },
        namespace,
        mounts: claimsOfPod(ctx, pod),
        restorePath,
        prefix: 'restore-data-all-',
        image,
        args,
      })
    })
    return undefined
  },
})

/** The backup that goes into a pod, and the name which that pod had then. */
type Source = PodBackup & { readonly pod: string }

type SourceArgs = Parameters<typeof podsOf>[1] & {
  readonly backupInfo: string
  readonly podMap?: Readonly<Record<string, string>>
}

function sourcesOf(ctx: FunctionContext, args: SourceArgs): ReadonlyMap<string, Source> {
  const backups = parseBackupAllInfo(args.backupInfo)
  const pods = podsOf(ctx, args)
  const before = new Map(Object.entries(args.podMap ?? {}).map(([old, now]) => [now, old]))
  const missing = [...before.keys()].filter((pod) => !pods.includes(pod))
  if (missing.length > 0) throw badInfo(`podMap names ${missing.join(', ')}, which is not among the pods ${pods.join(', ')}`)
  const sources = new Map(pods.map((now) => [now, sourceOf(backups, before.get(now) ?? now)]))
  const restored = [...sources.values()].map(({ pod }) => pod)
  const left = [...backups.keys()].filter((pod) => !restored.includes(pod))
  if (left.length > 0)
    ctx.warn(`backups of these pods are not restored, since there is no such pod: ${left.join(', ')}; see podMap`)
  return sources
}

function sourceOf(backups: ReadonlyMap<string, PodBackup>, pod: string): Source {
  const backup = backups.get(pod)
  if (backup) return { ...backup, pod }
  throw badInfo(`backupInfo holds no backup of pod ${pod}; it has ${[...backups.keys()].join(', ') || 'none'}; see podMap`)
}

function badInfo(message: string): Error {
  return functionError('FUNCTION_BAD_ARGS', message)
}
