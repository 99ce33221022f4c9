import { flag, object, optional, text, withDefault } from '../schema/build.ts'
import type { SnapshotQuery } from '../repository/snapshots.ts'
import type { FunctionContext } from './context.ts'
import { openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { forgetSnapshot } from './forget-snapshot.ts'
import { podArgs } from './pod-args.ts'
import { repositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'

export const deleteData = defineFunction({
  name: 'DeleteData',
  summary: 'Removes snapshots of BackupData. One that is gone already is no failure.',
  args: object({
    namespace: text('Namespace of the job pod in Kanister; nothing is made in it here.'),
    backupID: withDefault(
      optional(text('Output `backupID` of BackupData; several, separated by blanks, stand in the order of the prefixes.')),
      '',
    ),
    backupTag: withDefault(optional(text('Output `backupTag` of BackupData, instead of backupID; several as there.')), ''),
    reclaimSpace: withDefault(optional(flag('Give the space back to the store too.')), false),
    image: optional(text('Taken for the sake of existing Blueprints: no pod is made.')),
    ...repositoryArgs,
    ...podArgs,
  }),
  outputs: { spaceFreed: 'Bytes given back, such as `0 B`.' },
  notes: [
    'The work is done by the engine, in no pod: the arguments of pods are taken and have no effect.',
    'Each of several prefixes gets the bucket put before it where it lacks it; Kanister does so with the first only.',
    'An id or tag that is not in the repository is taken as deleted before; in Kanister a tag is a failure.',
    'There is no prune yet: with `reclaimSpace` the snapshot is forgotten, a warning says that its space was not given back, and `restic prune` can do it.',
  ],
  rbac: repositoryRules,
  resume: 'restart',
  checkArgs: ({ backupID, backupTag, backupArtifactPrefix }) => {
    if (!backupID === !backupTag) return ['Require one argument: backupID or backupTag']
    const count = words(backupID || backupTag).length
    const prefixes = words(backupArtifactPrefix).length
    return count === prefixes
      ? []
      : [`${count} snapshots are named, but ${prefixes} prefixes; they belong together by their order`]
  },
  async run(ctx, args) {
    const queries = args.backupID ? words(args.backupID).map((id) => ({ id })) : words(args.backupTag).map((tag) => ({ tag }))
    for (const [index, backupArtifactPrefix] of words(args.backupArtifactPrefix).entries()) {
      const query = queries[index]
      if (query) await forget(ctx, { ...args, backupArtifactPrefix }, query)
    }
    if (args.reclaimSpace) {
      ctx.warn(
        'reclaimSpace: the snapshot was removed, its space was not given back: pruning is not built in yet; run restic prune on the repository',
      )
    }
    return { spaceFreed: '0 B' }
  },
})

type ForgetArgs = Pick<Parameters<typeof openDataRepository>[1], 'backupArtifactPrefix' | 'encryptionKey' | 'insecureTLS'>

async function forget(ctx: FunctionContext, args: ForgetArgs, query: SnapshotQuery): Promise<void> {
  await using repository = await openDataRepository(ctx, { ...args, create: false })
  await forgetSnapshot(ctx, repository, query)
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
