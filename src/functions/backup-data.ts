import { object, text } from '../schema/build.ts'
import { openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { checkIncludePath, findKeptTree, keepTree, keptTreeOutputs, outputsOf } from './keep-tree.ts'
import { repositoryArgs } from './repository-args.ts'
import { execRules, repositoryRules } from './rights.ts'

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
  outputs: keptTreeOutputs,
  notes: [
    'Kanister runs restic in the container; here `tar` streams out of it by exec, and no credential goes into the pod. The repository is the same.',
    'GNU tar: a file that changes while it is read is a warning, one that cannot be read a failure. Fractions of seconds, holes and user attributes are kept.',
    'BusyBox tar: whole seconds only, no attributes, holes are read as zeros; a file that vanishes is a warning, everything else a failure.',
    'Sockets are left out and named in a warning. POSIX ACLs are not kept.',
  ],
  rbac: [...execRules, ...repositoryRules],
  resume: 'continue',
  checkArgs: checkIncludePath,
  async run(ctx, args) {
    const place = { namespace: args.namespace, pod: args.pod, container: args.container }
    await using repository = await openDataRepository(ctx, { ...args, create: true })
    const kept = await findKeptTree(ctx, repository)
    return outputsOf(kept ?? (await keepTree(ctx, repository, { place, includePath: args.includePath })))
  },
})
