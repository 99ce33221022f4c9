import { messageOf } from '../base/errors.ts'
import { object, text } from '../schema/build.ts'
import { type PodBackup, renderBackupAllInfo } from './backup-all-info.ts'
import type { FunctionContext } from './context.ts'
import { openDataRepository, shortSnapshotId } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { functionVersion } from './function-version.ts'
import { checkIncludePath, findKeptTree, keepTree } from './keep-tree.ts'
import { eachPart } from './phase-parts.ts'
import { podRepository } from './pod-repository.ts'
import { podsOf, severalPodsArgs } from './pods-of-workload.ts'
import { repositoryArgs } from './repository-args.ts'
import { execRules, repositoryRules } from './rights.ts'

/** One backup takes up to 250 MB of memory and keeps two cores busy. */
const podsAtOnce = 2

export const backupDataAll = defineFunction({
  name: 'BackupDataAll',
  summary: 'BackupData for several pods: the same file tree of each, each into a repository of its own.',
  args: object({
    namespace: text('Namespace of the pods.'),
    container: text('Name of the container in each of them.'),
    includePath: text('Directory or file to keep, as the container sees it.'),
    ...severalPodsArgs,
    ...repositoryArgs,
  }),
  outputs: {
    BackupAllInfo: 'JSON for RestoreDataAll and DeleteDataAll: pod → `PodName`, `BackupID`, `BackupTag`.',
    version: 'Version of the function.',
  },
  notes: [
    'The repository of a pod is `<backupArtifactPrefix>/<pod>`, as in Kanister.',
    'Two pods at once. The first failure ends the phase; snapshots finished before it stay, and a warning names them.',
    'No pod is a failure, unless `allowEmpty` is set. Kanister succeeds and keeps nothing.',
    'All that is said of tar at BackupData is so here.',
  ],
  rbac: [...execRules, ...repositoryRules],
  resume: 'continue',
  checkArgs: checkIncludePath,
  async run(ctx, args) {
    const done: Required<PodBackup>[] = []
    try {
      await eachPart(ctx, podsOf(ctx, args), podsAtOnce, async (part, pod) => {
        const backupArtifactPrefix = podRepository(args.backupArtifactPrefix, pod)
        const place = { namespace: args.namespace, pod, container: args.container }
        await using repository = await openDataRepository(part, { ...args, backupArtifactPrefix, create: true })
        const found = await findKeptTree(part, repository)
        const kept = found ?? (await keepTree(part, repository, { place, includePath: args.includePath }))
        done.push({ PodName: pod, BackupID: shortSnapshotId(kept.snapshotId), BackupTag: kept.tag })
      })
    } catch (error) {
      sayKept(ctx, done, error)
      throw error
    }
    return { BackupAllInfo: renderBackupAllInfo(done), version: functionVersion }
  },
})

/** Nothing refers to them, so somebody has to know. */
function sayKept(ctx: FunctionContext, done: readonly Required<PodBackup>[], error: unknown): void {
  if (done.length === 0 || ctx.signal.aborted) return
  const kept = done.map(({ PodName, BackupID }) => `${BackupID} of pod ${PodName}`)
  ctx.warn(
    `these snapshots were finished and belong to no artifact: ${kept.join(', ')}; another pod failed: ${messageOf(error)}`,
  )
}
