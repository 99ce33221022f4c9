import { kindOrResource } from '../../../api/object-reference.ts'
import { formatBytes } from '../../../base/bytes.ts'
import { recoveryError } from '../../../recovery/errors.ts'
import type { OpenedBackup } from '../../../recovery/find-backup.ts'
import { type RestorePlan, type RestoreRequest, blockersOf, planRestore } from '../../../recovery/restore-plan.ts'
import { nameOf, restoreApplication, stateAfterFailure } from '../../../recovery/restore-application.ts'
import { cliError } from '../../errors.ts'
import { waitForActionSet } from '../../kanctl/create-actionset/wait.ts'
import { clusterOf } from './backup-command.ts'
import type { BackupDeps, OpenedPlace } from './deps.ts'

export interface RestoreRun {
  readonly request: RestoreRequest
  readonly wait: boolean
  readonly timeoutMs: number
}

export interface RestoreOutcome {
  readonly backup: string
  readonly actionSet: string
  readonly target: RestorePlan['target']
  readonly seconds: number
  readonly expectedSeconds: number
}

export function planOne(
  deps: BackupDeps,
  opened: OpenedPlace,
  backup: OpenedBackup,
  request: RestoreRequest,
): Promise<RestorePlan> {
  return planRestore(opened.place, { ...clusterOf(opened), signal: deps.signal }, backup, request)
}

/** Carries out a plan without blockers. */
export async function restoreOne(
  deps: BackupDeps,
  opened: OpenedPlace,
  plan: RestorePlan,
  { request, wait, timeoutMs }: RestoreRun,
): Promise<RestoreOutcome> {
  const { output, signal, clock } = deps
  const cluster = clusterOf(opened)
  const blockers = blockersOf(plan, request.accept)
  if (blockers.length > 0) {
    const list = blockers.map(({ code, message }) => `\n  ${code}: ${message}`).join('')
    throw recoveryError(
      'RECOVERY_BLOCKED',
      `nothing was touched, since this restore would fail:${list}\n(--accept CODE goes on in spite of one)`,
    )
  }
  const startedMs = clock.now()
  const say = (line: string): void => output.err(`${line}\n`)
  const actionSet = await restoreApplication({ ...cluster, signal }, plan, {
    suffix: deps.suffix(),
    readyTimeoutMs: timeoutMs,
    say,
  })
  if (wait) {
    try {
      await waitForActionSet(cluster.kube, { namespace: cluster.namespace, name: actionSet }, output, { timeoutMs, signal })
    } catch (error) {
      if (cliError.is(error, 'CLI_ACTIONSET_FAILED')) output.err(`${stateAfterFailure(plan, actionSet, cluster.namespace)}\n`)
      throw error
    }
  }
  return {
    backup: plan.backup,
    actionSet,
    target: plan.target,
    seconds: (clock.now() - startedMs) / 1000,
    expectedSeconds: plan.expectedSeconds,
  }
}

export function renderPlan(plan: RestorePlan): string {
  const { target, sizeBytes, findings, expectedSeconds } = plan
  const lines = [
    `Restore of ${plan.backup} to ${kindOrResource(target)} ${target.namespace ?? ''}/${target.name ?? ''}`,
    ...plan.objects.map((object) => `  ${object.what.padEnd(8)}${nameOf(object)}`),
    ...(plan.blueprint
      ? [`  ${plan.blueprint.what === 'create' ? 'create  ' : 'keep    '}Blueprint ${plan.blueprint.name}`]
      : []),
    `  run     action ${plan.spec.name ?? ''} of Blueprint ${plan.spec.blueprint ?? ''}`,
    `Data: ${sizeBytes === undefined ? 'of unknown size' : formatBytes(sizeBytes)}; expect about ${expectedSeconds} s`,
    ...findings.map(({ level, code, message }) => `${level === 'blocker' ? 'BLOCKER' : 'warning'}  ${code}: ${message}`),
  ]
  return `${lines.join('\n')}\n`
}

/** Without what is long, or nobody's business on a screen. */
export function planJson(plan: RestorePlan): unknown {
  const objects = plan.objects.map(({ what, manifest: { kind, metadata } }) => ({
    what,
    kind,
    name: metadata.name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
  }))
  const { backup, target, findings, sizeBytes, expectedSeconds } = plan
  return {
    backup,
    target,
    objects,
    blueprint: plan.blueprint && { what: plan.blueprint.what, name: plan.blueprint.name },
    findings,
    sizeBytes,
    expectedSeconds,
  }
}
