import { formatBytes } from '../base/bytes.ts'
import { locationKey } from '../store/location.ts'
import { flag, object, optional, text, withDefault } from '../schema/build.ts'
import { defineFunction } from './define.ts'
import { forgetSnapshot } from './forget-snapshot.ts'
import { reclaimer } from './reclaim-space.ts'
import { streamRepositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'
import { openStreamRepository, streamRepositoryPath } from './stream-repository.ts'
import { unpruned, unprunedOutput } from './unpruned.ts'

export const deleteStream = defineFunction({
  name: 'DeleteStream',
  summary: 'Removes a snapshot of BackupStream. One that is gone already is no failure.',
  args: object({
    namespace: optional(text('Namespace of the application: it names the default repository.')),
    snapshotID: text('Output `snapshotID` of BackupStream.'),
    reclaimSpace: withDefault(optional(flag('Give the space back to the store too.')), false),
    ...streamRepositoryArgs,
  }),
  outputs: {
    deleted: 'How many snapshots were removed: `1`, or `0` when it was gone already.',
    spaceFreed: 'Bytes given back, such as `2.861 MiB`; `0 B` without reclaimSpace.',
    unpruned: unprunedOutput,
  },
  notes: [
    'The snapshot is forgotten at once; its space is given back when the repository is pruned.',
    '`reclaimSpace` prunes: it waits until nobody else uses the repository, and others wait for it. If they use it for minutes, the space stays taken, and a warning says so.',
  ],
  rbac: repositoryRules,
  removes: true,
  resume: 'restart',
  checkArgs: ({ namespace, repository, snapshotID }) => [
    ...(namespace || repository ? [] : ['Require one argument: repository or namespace']),
    // As "gone already" it would be a success that leaves the data for ever.
    ...(snapshotID.trim() === '' ? ['snapshotID is empty; give the output snapshotID of BackupStream'] : []),
  ],
  async run(ctx, args) {
    await using repository = await openStreamRepository(ctx, { ...args, create: false })
    const deleted = await forgetSnapshot(ctx, repository, { id: args.snapshotID })
    const freedBytes = args.reclaimSpace ? await reclaimer(ctx)(repository) : undefined
    const place = (): string => `${ctx.profile().location.bucket}/${locationKey(ctx.profile(), streamRepositoryPath(args))}`
    return {
      deleted: String(deleted),
      spaceFreed: formatBytes(freedBytes ?? 0),
      ...unpruned(freedBytes === undefined ? [place()] : []),
    }
  },
})
