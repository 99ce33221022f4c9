import type { Command } from 'commander'
import { planImport, runImport } from '../../../recovery/import-catalog.ts'
import { type Backup, readBackups } from '../../../recovery/read-backups.ts'
import { writersOf } from '../../../recovery/takeover.ts'
import { ProgressBar } from '../../progress-bar.ts'
import { clusterOf, placeCommand, print, withPlace } from '../backup/backup-command.ts'
import type { BackupDeps, PlaceFlags } from '../backup/deps.ts'

export function importCommand(deps: BackupDeps): Command {
  return placeCommand(
    'import',
    'Bring the catalog of a bucket into this cluster: Blueprints, and ActionSets as complete, so that none of them runs. Run it as often as you like.',
    '3 some could not be brought',
  )
    .option('--plan', 'show what would be made, and make nothing')
    .action((flags: PlaceFlags & { readonly plan?: boolean }) =>
      withPlace(deps, flags, async (opened) => {
        const { signal } = deps
        const target = { ...clusterOf(opened), signal }
        const backups: Backup[] = []
        for await (const backup of readBackups(opened.place, { signal })) backups.push(backup)
        const writers = await writersOf(opened.place, backups, signal)
        for (const { installation, cluster, backups: count, lastAt } of writers)
          deps.output.err(
            `${count} backups of installation ${installation} (cluster ${cluster ?? 'unknown'}), the last at ${lastAt}\n`,
          )
        const plan = await planImport(target, backups)
        if (flags.plan) {
          const made = (what: string, list: readonly { readonly what: string; readonly name: string }[]): string =>
            list.map((one) => `${one.what.padEnd(8)} ${what} ${one.name}\n`).join('')
          const json = {
            blueprints: plan.blueprints.map(({ what, name }) => ({ what, name })),
            actionSets: plan.actionSets.map(({ what, name, records }) => ({ what, name, records })),
            problems: plan.problems,
            writers,
          }
          print(
            deps,
            flags,
            json,
            `${made('Blueprint', plan.blueprints)}${made('ActionSet', plan.actionSets)}${plan.problems.map((problem) => `problem  ${problem}\n`).join('')}`,
          )
          return
        }
        const bar = new ProgressBar(deps.output, deps.clock)
        const result = await runImport(target, plan, (done, of) =>
          bar.update({ doneBytes: 0, note: `${done} of ${of} ActionSets` }),
        ).finally(() => bar.end())
        for (const problem of result.problems) deps.output.err(`Problem: ${problem}\n`)
        const text = `${result.createdBlueprints} Blueprints and ${result.createdActionSets} ActionSets imported, ${result.present} were there, ${result.problems.length} problems\n`
        print(deps, flags, { ...result, writers }, text)
        if (result.problems.length > 0) deps.finish(3)
      }),
    )
}
