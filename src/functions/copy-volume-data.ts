import { object, optional, text, withDefault } from '../schema/build.ts'
import { resolveArtifactPrefix } from './artifact-prefix.ts'
import { nodeOfClaim } from './claim-users.ts'
import { resolveClaims } from './claims.ts'
import type { FunctionContext } from './context.ts'
import { openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { readJobCheckpoint } from './job-checkpoint.ts'
import { idleCommand, jobNamespace, mainContainer } from './job-pod.ts'
import { type KeptTree, findKeptTree, keepTree, keptTreeOutputs, outputsOf } from './keep-tree.ts'
import { partContexts } from './phase-parts.ts'
import { type PodArgs, podArgs } from './pod-args.ts'
import { repositoryArgs } from './repository-args.ts'
import type { OpenedRepository } from './repositories.ts'
import { execRules, jobPodRules, repositoryRules } from './rights.ts'
import { removeJobPod, withJobPod } from './run-job-pod.ts'

const { backupArtifactPrefix: dataArtifactPrefix, ...keyArgs } = repositoryArgs

export const copyVolumeData = defineFunction({
  name: 'CopyVolumeData',
  summary: 'Keeps the content of a claim as a snapshot, read by a pod of its own that mounts it.',
  args: object({
    namespace: text('Namespace of the claim and of the pod.'),
    volume: text('Name of the claim.'),
    dataArtifactPrefix,
    mountPath: withDefault(optional(text('Where the pod mounts the claim. Default: `/mnt/vol_data/<claim>`.')), ''),
    image: optional(text('Image of the pod; it needs `sh`, `tail` and `tar`. Default: that of the engine.')),
    ...keyArgs,
    ...podArgs,
  }),
  outputs: {
    ...keptTreeOutputs,
    backupRoot: 'Path of the content within the snapshot: `backupPath` for RestoreData.',
    backupArtifactLocation: 'The prefix with the bucket before it: `backupArtifactPrefix` for RestoreData and DeleteData.',
  },
  makesPods: true,
  notes: [
    'Kanister runs restic in the pod; here the engine reads a tar out of it, and no credential goes into the pod.',
    'A claim that only one node can mount and that a pod uses is read on the node of that pod. One for a single pod alone, in use, is refused at once.',
    'What is written while it is read is in the snapshot as it was then: quiesce the application, or accept that.',
    'The pod has no service account token, no capabilities but those that tar needs, and at most 512 MiB; a podOverride may change that.',
    'All that is said of tar at BackupData is so here.',
  ],
  rbac: [...jobPodRules, ...execRules, ...repositoryRules],
  resume: 'continue',
  checkArgs: ({ mountPath }) => (mountPath === '' || mountPath?.startsWith('/') ? [] : ['mountPath must begin with /']),
  async run(ctx, args) {
    const mountPath = args.mountPath || `/mnt/vol_data/${args.volume}`
    const request = { ...args, backupArtifactPrefix: args.dataArtifactPrefix, create: true }
    await using repository = await openDataRepository(ctx, request)
    const kept = await keepClaim(ctx, repository, { ...args, mountPath })
    return {
      ...outputsOf(kept),
      backupRoot: mountPath,
      backupArtifactLocation: resolveArtifactPrefix(ctx.profile().location.bucket, args.dataArtifactPrefix),
    }
  },
})

interface ClaimArgs extends PodArgs {
  readonly namespace: string
  readonly volume: string
  readonly mountPath: string
  readonly image?: string | undefined
}

/** Two things are noted in the Run, each on its own: the pod, and the tag of the snapshot. */
async function keepClaim(ctx: FunctionContext, repository: OpenedRepository, args: ClaimArgs): Promise<KeptTree> {
  const partOf = partContexts(ctx, ['pod', 'snapshot'])
  const [forPod, forSnapshot] = [partOf('pod'), partOf('snapshot')]
  const leftBehind = readJobCheckpoint(forPod.resumed)
  if (leftBehind) await removeJobPod(forPod, leftBehind, ctx.signal)
  const found = await findKeptTree(forSnapshot, repository)
  if (found) return found
  const namespace = jobNamespace(args.namespace, ctx.engine)
  const { volume, mountPath, image } = args
  const request = {
    prefix: 'copy-vol-data-',
    namespace,
    image: image || ctx.engine.image,
    command: idleCommand,
    volumes: await resolveClaims(ctx, namespace, { [volume]: mountPath }),
    node: await nodeOfClaim(ctx, namespace, volume),
    args,
    adopt: false,
    mover: true,
  }
  return withJobPod(forPod, request, (pod) =>
    keepTree(forSnapshot, repository, {
      place: { namespace, pod: pod.name, container: mainContainer },
      includePath: mountPath,
      host: volume,
    }),
  )
}
