import { map, object, optional, text, withDefault } from '../schema/build.ts'
import { claimsOfPod } from './claims.ts'
import { defineFunction } from './define.ts'
import { podArgs } from './pod-args.ts'
import { repositoryArgs } from './repository-args.ts'
import { busyboxLosses, restoreIntoVolumes } from './restore-into-volumes.ts'
import { execRules, jobPodRules, repositoryRules } from './rights.ts'

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
    'The pod runs on the node that has a claim which only one node can mount, without a service account token, without the capabilities that tar does not need, and with at most 512 MiB; a podOverride may change that.',
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
    const { namespace, image, restorePath, backupPath, pod, volumes } = args
    await restoreIntoVolumes(ctx, {
      repository: args,
      snapshot: args.backupTag ? { tag: args.backupTag } : { id: args.backupIdentifier ?? '' },
      namespace,
      mounts: pod ? claimsOfPod(ctx, pod) : (volumes ?? {}),
      restorePath,
      backupPath,
      prefix: 'restore-data-',
      image,
      args,
    })
    return undefined
  },
})
