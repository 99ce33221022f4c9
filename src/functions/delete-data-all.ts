import { flag, object, optional, withDefault } from '../schema/build.ts'
import { backupInfoArg, parseBackupAllInfo } from './backup-all-info.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { forgetArgs, forgetData, forgetNotes, forgetOutputs } from './forget-data.ts'
import { podRepository } from './pod-repository.ts'
import { repositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'

export const deleteDataAll = defineFunction({
  name: 'DeleteDataAll',
  summary: 'Removes what BackupDataAll kept. What is gone already is no failure.',
  args: object({
    backupInfo: backupInfoArg,
    allowEmpty: withDefault(optional(flag('Succeed when backupInfo is empty; otherwise that is a failure.')), false),
    ...forgetArgs,
    ...repositoryArgs,
  }),
  outputs: forgetOutputs,
  notes: [
    ...forgetNotes,
    'Up to four repositories are worked on at once; Kanister takes one after the other.',
    'The prefix gets the bucket put before it where it lacks it, as in BackupDataAll; Kanister forgets that here.',
  ],
  rbac: repositoryRules,
  removes: true,
  resume: 'restart',
  async run(ctx, args) {
    const backups = [...parseBackupAllInfo(args.backupInfo)]
    if (backups.length === 0 && !args.allowEmpty) {
      throw functionError('FUNCTION_BAD_ARGS', 'backupInfo names no backup; set allowEmpty: true if there may be none')
    }
    const snapshots = backups.map(([pod, { BackupID, BackupTag = '' }]) => ({
      backupArtifactPrefix: podRepository(args.backupArtifactPrefix, pod),
      query: BackupID ? { id: BackupID } : { tag: BackupTag },
    }))
    return forgetData(ctx, snapshots, args)
  },
})
