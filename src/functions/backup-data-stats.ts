import { formatBytes } from '../base/bytes.ts'
import { sizeModes } from '../repository/snapshot-sizes.ts'
import { object, oneOf, optional, text, withDefault } from '../schema/build.ts'
import { openDataRepository } from './data-repository.ts'
import { defineFunction } from './define.ts'
import { functionVersion } from './function-version.ts'
import { podArgs } from './pod-args.ts'
import { repositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'
import { getSnapshot } from './snapshot.ts'

export const backupDataStats = defineFunction({
  name: 'BackupDataStats',
  summary: 'Says how many files a snapshot of BackupData has, and how large it is.',
  args: object({
    namespace: text('Namespace of the job pod in Kanister; nothing is made in it here.'),
    backupID: text('Output `backupID` of BackupData.'),
    statsMode: withDefault(
      optional(
        oneOf(
          sizeModes,
          'What is counted: all that a restore makes; each content once; blobs in the store, once each; the blobs of each content.',
        ),
      ),
      'restore-size',
    ),
    image: optional(text('Taken for the sake of existing Blueprints: no pod is made.')),
    ...repositoryArgs,
    ...podArgs,
  }),
  outputs: {
    mode: 'The statsMode.',
    fileCount: 'Number of files, with `restore-size` directories too; of blobs with `raw-data`.',
    size: 'Their bytes, such as `2.861 MiB`.',
    sizeBytes: 'The same as a plain number.',
    version: 'Version of the function.',
  },
  aliases: { mode: 'statsMode' },
  notes: [
    'The work is done by the engine, in no pod: the arguments of pods are taken and have no effect.',
    'The numbers are those of `restic stats`. A snapshot that is not there is a failure that says so.',
    "Kanister's page calls statsMode `mode`, but its code refuses that; and it has no insecureTLS here.",
  ],
  rbac: repositoryRules,
  resume: 'restart',
  async run(ctx, args) {
    await using repository = await openDataRepository(ctx, { ...args, create: false })
    const { id } = await getSnapshot(repository, { id: args.backupID }, ctx.signal)
    const mode = args.statsMode ?? 'restore-size'
    const { count, sizeBytes } = await repository.snapshotSizes({ id }, mode, { signal: ctx.signal })
    const size = formatBytes(sizeBytes)
    return { mode, fileCount: String(count), size, sizeBytes: String(sizeBytes), version: functionVersion }
  },
})
