import { object, optional, text, withDefault } from '../schema/build.ts'
import { defineFunction } from './define.ts'
import { forgetArgs, forgetData, forgetNotes, forgetOutputs } from './forget-data.ts'
import { repositoryArgs } from './repository-args.ts'
import { repositoryRules } from './rights.ts'
import { wordsOf } from './words.ts'

export const deleteData = defineFunction({
  name: 'DeleteData',
  summary: 'Removes snapshots of BackupData. One that is gone already is no failure.',
  args: object({
    backupID: withDefault(
      optional(text('Output `backupID` of BackupData; several, separated by blanks, stand in the order of the prefixes.')),
      '',
    ),
    backupTag: withDefault(optional(text('Output `backupTag` of BackupData, instead of backupID; several as there.')), ''),
    ...forgetArgs,
    ...repositoryArgs,
  }),
  outputs: forgetOutputs,
  notes: [
    ...forgetNotes,
    'Each of several prefixes gets the bucket put before it where it lacks it; Kanister does so with the first only.',
    'In Kanister a tag that is not there is a failure.',
  ],
  rbac: repositoryRules,
  removes: true,
  resume: 'restart',
  checkArgs: ({ backupID, backupTag, backupArtifactPrefix }) => {
    if (!backupID === !backupTag) return ['Require one argument: backupID or backupTag']
    const count = wordsOf(backupID || backupTag).length
    const prefixes = wordsOf(backupArtifactPrefix).length
    return count === prefixes
      ? []
      : [`${count} snapshots are named, but ${prefixes} prefixes; they belong together by their order`]
  },
  async run(ctx, args) {
    const ids = wordsOf(args.backupID).map((id) => ({ id }))
    const queries = ids.length > 0 ? ids : wordsOf(args.backupTag).map((tag) => ({ tag }))
    const prefixes = wordsOf(args.backupArtifactPrefix)
    // As many of the one as of the other: checkArgs saw to it.
    const snapshots = queries.map((query, index) => ({ backupArtifactPrefix: prefixes[index] as string, query }))
    return forgetData(ctx, snapshots, args)
  },
})
