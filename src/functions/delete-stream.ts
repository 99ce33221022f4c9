import { object, optional, text } from '../schema/build.ts'
import { defineFunction } from './define.ts'
import { forgetSnapshot } from './forget-snapshot.ts'
import { streamRepositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'
import { openStreamRepository } from './stream-repository.ts'

export const deleteStream = defineFunction({
  name: 'DeleteStream',
  summary: 'Removes a snapshot of BackupStream. One that is gone already is no failure.',
  args: object({
    namespace: optional(text('Namespace of the application: it names the default repository.')),
    snapshotID: text('Output `snapshotID` of BackupStream.'),
    ...streamRepositoryArgs,
  }),
  outputs: { deleted: 'How many snapshots were removed: `1`, or `0` when it was gone already.' },
  notes: ['The snapshot is forgotten at once; its space is given back when the repository is pruned.'],
  rbac: repositoryRules,
  resume: 'restart',
  checkArgs: ({ namespace, repository }) => (namespace || repository ? [] : ['Require one argument: repository or namespace']),
  async run(ctx, args) {
    await using repository = await openStreamRepository(ctx, { ...args, create: false })
    const deleted = await forgetSnapshot(ctx, repository, { id: args.snapshotID })
    return { deleted: String(deleted) }
  },
})
