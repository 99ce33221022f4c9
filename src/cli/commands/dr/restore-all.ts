import type { Command } from 'commander'
import { messageOf } from '../../../base/errors.ts'
import type { OpenedBackup } from '../../../recovery/find-backup.ts'
import { isKind } from '../../../recovery/manifests.ts'
import { readBackups } from '../../../recovery/read-backups.ts'
import { blockersOf } from '../../../recovery/restore-plan.ts'
import { cliError } from '../../errors.ts'
import { parseDuration } from '../../kanctl/create-actionset/parse.ts'
import { renderTable } from '../../table.ts'
import { clusterOf, placeCommand, print, withPlace } from '../backup/backup-command.ts'
import type { BackupDeps, OpenedPlace } from '../backup/deps.ts'
import { type RestoreFlags, pairs, requestOf, withRestoreFlags } from '../backup/restore-flags.ts'
import { planJson, planOne, renderPlan, restoreOne } from '../backup/restore-one.ts'

interface AllFlags extends RestoreFlags {
  readonly all?: boolean
  readonly appNamespace?: readonly string[]
  readonly selector?: string
}

export function restoreAllCommand(deps: BackupDeps): Command {
  const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]
  return withRestoreFlags(
    placeCommand(
      'restore-all',
      'Bring back the newest backup of every application, one after the other, and say how long it took.',
      '3 some could not be restored; 5 the plan has blockers',
    ),
  )
    .option('--all', 'every application of the catalog')
    .option('--app-namespace <name>', 'those of this namespace; may be given several times', collect)
    .option('--selector <labels>', 'those whose object had these labels, as app=db,tier=data')
    .action((flags: AllFlags) =>
      withPlace(deps, flags, async (opened) => {
        clusterOf(opened)
        if (flags.name !== undefined || flags.toNamespace !== undefined)
          throw cliError('CLI_USAGE', '--name and --to-namespace are for one application: use holdfast backup restore')
        if (!flags.all && !flags.appNamespace && flags.selector === undefined)
          throw cliError('CLI_USAGE', 'say which: --all, --app-namespace or --selector')
        const request = requestOf(flags, deps.version)
        const timeoutMs = parseDuration(flags.timeout)
        const { backups, unreadable } = await newestOfEach(deps, opened, flags)
        if (backups.length === 0) throw cliError('CLI_NOT_FOUND', 'no backup that can be read fits')
        if (flags.plan) {
          const plans = []
          for (const backup of backups) plans.push(await planOne(deps, opened, backup, request))
          const total = plans.reduce((sum, { expectedSeconds }) => sum + expectedSeconds, 0)
          const blocked = plans.some((plan) => blockersOf(plan, request.accept).length > 0)
          print(
            deps,
            flags,
            {
              plans: plans.map(planJson),
              unreadable: unreadable.map(({ application }) => application),
              expectedSeconds: total,
            },
            `${plans.map(renderPlan).join('\n')}\nTogether: expect about ${total} s\n`,
          )
          if (blocked || unreadable.length > 0) deps.finish(5)
          return
        }
        const startedMs = deps.clock.now()
        const rows: Row[] = []
        for (const backup of backups) rows.push(await attempt(deps, opened, backup, { request, wait: true, timeoutMs }))
        rows.push(...unreadable)
        const seconds = (deps.clock.now() - startedMs) / 1000
        const expected = rows.reduce((sum, { expectedSeconds }) => sum + expectedSeconds, 0)
        const failed = rows.filter(({ problem }) => problem !== undefined)
        const table = renderTable([
          ['APPLICATION', 'BACKUP', 'RESULT', 'SECONDS', 'EXPECTED'],
          ...rows.map((row) => [
            row.application,
            row.backup,
            row.problem === undefined ? 'restored' : 'FAILED',
            row.seconds.toFixed(1),
            String(row.expectedSeconds),
          ]),
        ])
        for (const { application, problem } of failed) deps.output.err(`${application}: ${problem ?? ''}\n`)
        print(
          deps,
          flags,
          {
            restored: rows.length - failed.length,
            failed: failed.length,
            seconds,
            expectedSeconds: expected,
            applications: rows,
          },
          `${table}${rows.length - failed.length} of ${rows.length} applications back after ${seconds.toFixed(1)} s (expected ${expected} s)\n`,
        )
        if (failed.length > 0) deps.finish(3)
      }),
    )
}

interface Row {
  readonly application: string
  readonly backup: string
  readonly seconds: number
  readonly expectedSeconds: number
  readonly problem?: string
}

async function attempt(
  deps: BackupDeps,
  opened: OpenedPlace,
  backup: OpenedBackup,
  run: Parameters<typeof restoreOne>[3],
): Promise<Row> {
  const startedMs = deps.clock.now()
  const row = { application: `${backup.namespace}/${backup.kind}/${backup.name}`, backup: backup.record.actionSet.name }
  deps.output.err(`${row.application}\n`)
  let expectedSeconds = 0
  try {
    const plan = await planOne(deps, opened, backup, run.request)
    expectedSeconds = plan.expectedSeconds
    const { seconds } = await restoreOne(deps, opened, plan, run)
    return { ...row, seconds, expectedSeconds }
  } catch (error) {
    // One application that does not come back is no reason to leave the others.
    deps.signal.throwIfAborted()
    return { ...row, seconds: (deps.clock.now() - startedMs) / 1000, expectedSeconds, problem: messageOf(error) }
  }
}

interface Newest {
  readonly backups: readonly OpenedBackup[]
  /** Applications of which there is no backup that can be read: nobody knows their labels, and they do not come back. */
  readonly unreadable: readonly Row[]
}

/** What an object is, is its namespace, kind and name. */
async function newestOfEach(deps: BackupDeps, { place }: OpenedPlace, flags: AllFlags): Promise<Newest> {
  const newest = new Map<string, OpenedBackup>()
  const problems = new Map<string, string>()
  const known = new Set<string>()
  const wanted = Object.entries(pairs((flags.selector ?? '').split(',').filter(Boolean), '--selector'))
  for await (const backup of readBackups(place, { signal: deps.signal })) {
    if (flags.appNamespace && !flags.appNamespace.includes(backup.namespace)) continue
    const application = `${backup.namespace}/${backup.kind}/${backup.name}`
    if (!backup.record) {
      const problem = backup.problem?.message ?? 'cannot be read'
      deps.output.err(`Warning: ${backup.key}: ${problem}\n`)
      problems.set(application, problem)
      continue
    }
    known.add(application)
    const labels = labelsOf(backup)
    if (wanted.some(([label, value]) => labels[label] !== value)) continue
    newest.set(application, { ...backup, record: backup.record })
  }
  const unreadable = [...problems].flatMap(([application, problem]) =>
    known.has(application) ? [] : [{ application, backup: '-', seconds: 0, expectedSeconds: 0, problem }],
  )
  return { backups: [...newest.values()], unreadable }
}

function labelsOf({
  record,
}: Pick<OpenedBackup, 'record'> | { readonly record?: undefined }): Readonly<Record<string, string>> {
  const { object, manifests = [] } = record ?? { object: {} }
  const own = manifests.find(
    (manifest) =>
      isKind(String(manifest['kind']), object) && (manifest['metadata'] as { readonly name?: string }).name === object.name,
  )
  const { metadata, spec } = (own ?? {}) as {
    readonly metadata?: { readonly labels?: Record<string, string> }
    readonly spec?: { readonly template?: { readonly metadata?: { readonly labels?: Record<string, string> } } }
  }
  return { ...spec?.template?.metadata?.labels, ...metadata?.labels }
}
