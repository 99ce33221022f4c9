import { Command, Option } from 'commander'
import { toRfc3339 } from '../../../base/clock.ts'
import type { ConnectionFlags } from '../../kanctl/create-actionset/define.ts'
import type { Output } from '../../output.ts'
import { renderTable } from '../../table.ts'

export interface RetentionFlags extends ConnectionFlags {
  readonly engineNamespace?: string
  readonly profile?: string
  readonly output: 'table' | 'json'
}

/** A backup and what becomes of it. */
export interface PlannedBackup {
  readonly id: string
  /** `namespace/kind/name`. */
  readonly object: string
  /** Epoch ms. */
  readonly time: number
  readonly keep: boolean
  readonly reasons: readonly string[]
}

export interface RetentionDeps {
  readonly output: Output
  /** What the retention of a Schedule would do now, and what cannot be read. */
  plan(
    schedule: string,
    flags: RetentionFlags,
  ): Promise<{ readonly backups: readonly PlannedBackup[]; readonly problems: readonly string[] }>
}

/** `holdfast retention …` */
export function retentionCommands(deps: RetentionDeps): Command {
  const plan = new Command('plan')
    .description('Show which backups of a Schedule stay and which go, and why. Changes nothing.')
    .argument('<schedule>', 'name of the Schedule')
    .option('-n, --namespace <name>', 'its namespace; that of the context when absent')
    .option('--engine-namespace <name>', 'namespace of the installation, where that is another one')
    .option('--profile <[namespace/]name>', 'Profile to look into, where the Schedule names none')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .addOption(new Option('-o, --output <format>', 'table for people or json').choices(['table', 'json']).default('table'))
    .action((schedule: string, flags: RetentionFlags) => show(deps, schedule, flags))
  return new Command('retention').description('Which backups stay.').addCommand(plan)
}

async function show(deps: RetentionDeps, schedule: string, flags: RetentionFlags): Promise<void> {
  const { backups, problems } = await deps.plan(schedule, flags)
  for (const problem of problems) deps.output.err(`Warning: ${problem}\n`)
  const rows = backups.map(({ id, object, time, keep, reasons }) => ({
    id,
    object,
    time: toRfc3339(time),
    decision: keep ? ('keep' as const) : ('drop' as const),
    reasons,
  }))
  if (flags.output === 'json') return deps.output.out(`${JSON.stringify(rows, undefined, 2)}\n`)
  if (rows.length === 0) return deps.output.out(`no backups of Schedule ${schedule} in its catalog\n`)
  const cells = rows.map((row) => [row.object, row.time, row.id, row.decision, row.reasons.join(', ')])
  const going = backups.filter(({ keep }) => !keep).length
  deps.output.out(renderTable([['OBJECT', 'TIME', 'BACKUP', 'DECISION', 'REASONS'], ...cells]))
  deps.output.out(`${backups.length - going} stay, ${going} go\n`)
}
