import type { Command } from 'commander'
import { kubeError } from '../../../kube/errors.ts'
import { kinds } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import { runImport } from '../../../recovery/import-catalog.ts'
import { type PreparedImport, prepareImport } from '../../../recovery/prepare-import.ts'
import type { BackupSelector } from '../../../recovery/select-backups.ts'
import { ProgressBar } from '../../progress-bar.ts'
import { clusterOf, placeCommand, print, withPlace } from '../backup/backup-command.ts'
import type { BackupDeps, PlaceFlags } from '../backup/deps.ts'

interface ImportFlags extends PlaceFlags {
  readonly plan?: boolean
  readonly schedules: boolean
  readonly appNamespace?: readonly string[]
  readonly appName?: readonly string[]
  readonly newest?: boolean
}

export function importCommand(deps: BackupDeps): Command {
  const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]
  return placeCommand(
    'import',
    'Bring the catalog of a bucket into this cluster: Blueprints, ActionSets as complete, so that none of them runs, and Schedules, suspended. Run it as often as you like.',
    '3 some could not be brought',
  )
    .option('--plan', 'show what would be made, and make nothing')
    .option('--app-namespace <name>', 'backups of applications of this namespace; may be given several times', collect)
    .option('--app-name <name>', 'backups of objects of this name; may be given several times', collect)
    .option('--newest', 'only the newest of each object')
    .option('--no-schedules', 'leave out the Schedules')
    .action((flags: ImportFlags) =>
      withPlace(deps, flags, async (opened) => {
        const { signal } = deps
        const cluster = clusterOf(opened)
        const { kube, namespace } = cluster
        const installation = await installationOf(kube, namespace, signal)
        const request = { ...cluster, installation, selector: selectorOf(flags), schedules: flags.schedules, signal }
        const prepared = await prepareImport(opened.place, request)
        const { writers, target, plan } = prepared
        for (const { installation: writer, cluster: at, backups: count, lastAt } of writers)
          deps.output.err(`${count} backups of installation ${writer} (cluster ${at ?? 'unknown'}), the last at ${lastAt}\n`)
        if (flags.plan) {
          print(deps, flags, planJson(prepared), planText(prepared))
          return
        }
        const bar = new ProgressBar(deps.output, deps.clock)
        const result = await runImport(target, plan, (done, of) =>
          bar.update({ doneBytes: 0, note: `${done} of ${of} ActionSets` }),
        ).finally(() => bar.end())
        for (const problem of result.problems) deps.output.err(`Problem: ${problem}\n`)
        const { createdBlueprints, createdActionSets, createdSchedules, present, problems } = result
        const schedules = createdSchedules > 0 ? `; ${createdSchedules} Schedules came suspended` : ''
        const text = `${createdBlueprints} Blueprints and ${createdActionSets} ActionSets imported, ${present} were there, ${problems.length} problems${schedules}\n`
        print(deps, flags, { ...result, writers }, text)
        if (problems.length > 0) deps.finish(3)
      }),
    )
}

/** Whoever may not read the namespace imports all as another's: that only keeps it from being deleted. */
async function installationOf(kube: Kube, namespace: string, signal: AbortSignal): Promise<string> {
  try {
    return (await kube.resource(kinds.namespaces).get({ name: namespace }, { signal })).metadata.uid
  } catch (error) {
    if (kubeError.is(error, 'KUBE_FORBIDDEN')) return ''
    throw error
  }
}

function selectorOf({ appNamespace, appName, newest }: ImportFlags): BackupSelector {
  return {
    ...(appNamespace ? { namespaces: appNamespace } : {}),
    ...(appName ? { names: appName } : {}),
    ...(newest ? { newestOnly: true } : {}),
  }
}

function planJson({ plan, writers }: PreparedImport): unknown {
  return {
    blueprints: plan.blueprints.map(({ what, name }) => ({ what, name })),
    actionSets: plan.actionSets.map(({ what, name, records }) => ({ what, name, records })),
    schedules: plan.schedules.map(({ what, name, object }) => ({
      what,
      name,
      cron: object.spec.cron,
      suspended: what === 'create',
    })),
    problems: plan.problems,
    writers,
  }
}

function planText({ plan }: PreparedImport): string {
  const line = (what: string, kind: string, name: string, more = ''): string => `${what.padEnd(8)} ${kind} ${name}${more}\n`
  return [
    ...plan.blueprints.map(({ what, name }) => line(what, 'Blueprint', name)),
    ...plan.actionSets.map(({ what, name }) => line(what, 'ActionSet', name)),
    ...plan.schedules.map(({ what, name, object }) =>
      line(what, 'Schedule', name, what === 'create' ? ` (suspended; ${object.spec.cron})` : ''),
    ),
    ...plan.problems.map((problem) => `problem  ${problem}\n`),
  ].join('')
}
