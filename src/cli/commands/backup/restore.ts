import type { Command } from 'commander'
import { getBackup } from '../../../recovery/find-backup.ts'
import { blockersOf } from '../../../recovery/restore-plan.ts'
import { parseDuration } from '../../kanctl/create-actionset/parse.ts'
import { clusterOf, placeCommand, print, withPlace } from './backup-command.ts'
import type { BackupDeps } from './deps.ts'
import { type RestoreFlags, requestOf, withRestoreFlags } from './restore-flags.ts'
import { planJson, planOne, renderPlan, restoreOne } from './restore-one.ts'

export function restoreCommand(deps: BackupDeps): Command {
  const codes =
    '3 the data could not be restored; 4 the time to wait was over; 5 the plan has blockers, nothing was touched; 6 the application did not become ready'
  return withRestoreFlags(
    placeCommand(
      'restore',
      'Bring an application back: manifests first, then its data. An application that is there is refused, unless you say so.',
      codes,
    ),
  )
    .argument('<name>', 'name or id of a backup, or namespace/kind/name for the newest of an object')
    .action((name: string, flags: RestoreFlags) =>
      withPlace(deps, flags, async (opened) => {
        clusterOf(opened)
        const request = requestOf(flags, deps.version)
        const backup = await getBackup(opened.place, name, { signal: deps.signal })
        const plan = await planOne(deps, opened, backup, request)
        if (flags.plan) {
          print(deps, flags, planJson(plan), renderPlan(plan))
          if (blockersOf(plan, request.accept).length > 0) deps.finish(5)
          return
        }
        deps.output.err(renderPlan(plan))
        const wait = flags.wait === true
        const done = await restoreOne(deps, opened, plan, { request, wait, timeoutMs: parseDuration(flags.timeout) })
        const verdict = wait
          ? `restored in ${done.seconds.toFixed(1)} s (expected ${done.expectedSeconds} s)`
          : `asked for by ActionSet ${done.actionSet}; follow it with: holdfast status ${done.actionSet}`
        print(deps, flags, done, `${plan.backup} ${verdict}\n`)
      }),
    )
}
