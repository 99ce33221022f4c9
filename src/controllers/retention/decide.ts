import { actionSetKind, type ActionSet, type ActionSpec } from '../../api/actionset.ts'
import { apiVersionOf } from '../../api/kind.ts'
import { fieldAnnotations, names } from '../../api/names.ts'
import type { PrunedRepository, Retention, Schedule, ScheduleStatus } from '../../api/schedule.ts'
import { openCalendar } from '../../retention/calendar.ts'
import { decideRetention, type Backup, type Verdict } from '../../retention/decide.ts'
import { parseWithin, periods, type RetentionPolicy, type Within } from '../../retention/policy.ts'

/** A backup of this Schedule in the catalog. */
export interface CataloguedBackup extends Backup {
  /** `namespace/kind/name` of the object. */
  readonly objectKey: string
  /** Key of its record, below the prefix of the location. */
  readonly recordKey: string
  /** Who made it: its word stands in the chain of that installation. */
  readonly installation: string
}

/** Where the removal of one backup is. */
export type Removal =
  /** No ActionSet is there for it; `attempt` counts from 1. */
  | {
      readonly kind: 'start'
      readonly backup: CataloguedBackup
      readonly attempt: number
      readonly replaces?: ActionSet
      readonly why: string
    }
  | { readonly kind: 'wait'; readonly backup: CataloguedBackup; readonly message?: string; readonly untilMs?: number }
  /** Its ActionSet waits for its turn still, and the backup is to stay after all. */
  | { readonly kind: 'stop'; readonly backup: CataloguedBackup; readonly by: ActionSet; readonly why: string }
  /** The delete action succeeded: the record goes, and the chain says so. */
  | { readonly kind: 'finish'; readonly backup: CataloguedBackup; readonly by: ActionSet; readonly why: string }

export interface RetentionView {
  readonly schedule: Schedule
  readonly backups: readonly CataloguedBackup[]
  /** ActionSets of this Schedule's retention, by id of the backup. */
  readonly removals: ReadonlyMap<string, ActionSet>
  /** Keys of records whose backup is being proven now: taking its data away would make it look bad. */
  readonly inProof?: ReadonlySet<string>
  readonly now: number
}

export interface RetentionDecision {
  readonly verdicts: readonly Verdict<CataloguedBackup>[]
  readonly removals: readonly Removal[]
}

/** Old backups of a first look at a long history go a few at a time: each is an ActionSet that does real work. */
export const mostRemovalsAtOnce = 10
const proofLookMs = 60_000
const firstRetryMs = 5 * 60_000
const longestRetryMs = 6 * 3_600_000

/** Which backups go, and what is next for each of them. Pure. */
export function decideRemovals({ schedule, backups, removals, inProof, now }: RetentionView): RetentionDecision {
  const policy = policyOf(schedule.spec.retention ?? {})
  const calendar = openCalendar(schedule.spec.timeZone || 'UTC')
  const byObject = Map.groupBy(backups, ({ objectKey }) => objectKey)
  const verdicts = [...byObject.values()].flatMap((ofObject) => decideRetention(policy, ofObject, calendar))
  const going = verdicts.filter(({ keep }) => !keep).toReversed()
  const steps = [
    ...verdicts.flatMap((verdict) => (verdict.keep ? stepOfKept(verdict, removals.get(verdict.backup.id), now) : [])),
    ...going.map((verdict) => stepOf(verdict, removals.get(verdict.backup.id), now)),
  ].map((step) => (step.kind === 'start' && inProof?.has(step.backup.recordKey) ? afterProof(step, now) : step))
  const running = steps.filter(({ kind }) => kind === 'wait').length
  let free = Math.max(0, mostRemovalsAtOnce - running)
  return { verdicts, removals: steps.filter(({ kind }) => kind !== 'start' || free-- > 0) }
}

/** A removal that has begun is finished although the backup is to stay meanwhile: half of it may be gone. One that has not is called off. */
function stepOfKept(verdict: Verdict<CataloguedBackup>, actionSet: ActionSet | undefined, now: number): Removal[] {
  if (!actionSet) return []
  if (hasBegun(actionSet)) return [stepOf(verdict, actionSet, now)]
  if (actionSet.status?.state === 'failed') return []
  const { backup, reasons } = verdict
  const isCalledOff = actionSet.metadata.annotations?.[names.cancel] === 'true'
  return [isCalledOff ? { kind: 'wait', backup } : { kind: 'stop', backup, by: actionSet, why: reasons.join(', ') }]
}

/** Something of it may be gone. */
export function hasBegun({ status }: Pick<ActionSet, 'status'>): boolean {
  const { state, actions = [] } = status ?? {}
  if (state === 'running' || state === 'complete') return true
  return actions.some(({ phases = [] }) => phases.some((phase) => phase.state !== 'pending'))
}

function afterProof({ backup }: Removal, now: number): Removal {
  return { kind: 'wait', backup, untilMs: now + proofLookMs }
}

function stepOf({ backup, reasons }: Verdict<CataloguedBackup>, actionSet: ActionSet | undefined, now: number): Removal {
  const why = reasons.join(', ')
  if (!actionSet) return { kind: 'start', backup, attempt: 1, why }
  const { state, error } = actionSet.status ?? {}
  if (state === 'complete') return { kind: 'finish', backup, by: actionSet, why }
  if (state !== 'failed') return { kind: 'wait', backup }
  const attempt = Number(actionSet.metadata.annotations?.[names.attempt] ?? '1')
  const untilMs = Date.parse(actionSet.metadata.creationTimestamp ?? '') + retryMs(attempt)
  const message = `removing backup ${backup.id} failed ${attempt === 1 ? 'once' : `${attempt} times`}: ${error?.message ?? 'no reason given'}`
  if (now < untilMs) return { kind: 'wait', backup, message, untilMs }
  return { kind: 'start', backup, attempt: attempt + 1, replaces: actionSet, why }
}

function retryMs(attempt: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** (attempt - 1))
}

/** The policy of a Schedule in the words of the retention room. Texts that cannot be read keep everything: RangeError. */
export function policyOf(retention: Retention): RetentionPolicy {
  const { keepLast, keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly, keepWithin } = retention
  const { keepWithinHourly, keepWithinDaily, keepWithinWeekly, keepWithinMonthly, keepWithinYearly } = retention
  const counts = [keepHourly, keepDaily, keepWeekly, keepMonthly, keepYearly]
  const times = [keepWithinHourly, keepWithinDaily, keepWithinWeekly, keepWithinMonthly, keepWithinYearly]
  const byPeriod = <T>(values: readonly (T | undefined)[]): Partial<Record<(typeof periods)[number], T>> =>
    Object.fromEntries(periods.flatMap((period, index) => (values[index] === undefined ? [] : [[period, values[index]]])))
  return {
    ...(keepLast === undefined ? {} : { last: keepLast }),
    per: byPeriod(counts),
    ...(keepWithin ? { within: readWithin(keepWithin) } : {}),
    perWithin: byPeriod(times.map((text) => (text ? readWithin(text) : undefined))),
  }
}

function readWithin(text: string): Within {
  const within = parseWithin(text)
  if (!within) throw new RangeError(`"${text}" is not a time such as 30d or 1y6m`)
  return within
}

/** What a removal needs to know of the backup, from its record. */
export interface RemovalSource {
  readonly request: ActionSpec
  readonly artifacts: NonNullable<ActionSpec['artifacts']>
  /** The Blueprint in the cluster that has the delete action. */
  readonly blueprint: string
}

/** `backupId` is the UID of an ActionSet and the index of an action. At most 63 characters, so that it is a label too. */
export function removalName(schedule: string, backupId: string, attempt: number): string {
  const dash = backupId.lastIndexOf('-')
  const uid = backupId.slice(0, dash).replaceAll('-', '').slice(0, 16)
  const tail = `gone-${uid}-${backupId.slice(dash + 1)}-${attempt}`.toLowerCase()
  return `${schedule.replaceAll('.', '-').slice(0, 62 - tail.length)}-${tail}`
}

/** The ActionSet that runs the Blueprint's delete action on what the backup left. */
export function removalActionSet(
  schedule: Schedule,
  { backup, attempt }: Extract<Removal, { kind: 'start' }>,
  source: RemovalSource,
): ActionSet {
  const { request, artifacts, blueprint } = source
  const { metadata, spec } = schedule
  return {
    apiVersion: apiVersionOf(actionSetKind),
    kind: 'ActionSet',
    // The server fills in the rest.
    metadata: {
      name: removalName(metadata.name, backup.id, attempt),
      namespace: metadata.namespace,
      labels: { [names.retention]: metadata.name },
      annotations: {
        [names.backup]: backup.id,
        [names.attempt]: String(attempt),
        [fieldAnnotations.ttlAfterFinished]: '24h',
        // Whatever else waits is more urgent.
        [fieldAnnotations.priority]: '-200',
      },
    } as unknown as ActionSet['metadata'],
    spec: { actions: [{ ...request, name: spec.retention?.deleteAction ?? 'delete', blueprint, artifacts }] },
  }
}

/** What a look has done. */
export interface RetentionOutcome {
  readonly removed: number
  readonly problems: readonly string[]
  readonly repositories: readonly PrunedRepository[]
  /** Since the last look. */
  readonly freedBytes: number
}

/** What status says of old backups. */
export function retentionStatus(
  before: ScheduleStatus['retention'],
  { verdicts, removals }: RetentionDecision,
  { removed, problems, repositories, freedBytes }: RetentionOutcome,
): NonNullable<ScheduleStatus['retention']> {
  const failing = removals.flatMap((removal) => (removal.kind === 'wait' && removal.message ? [removal.message] : []))
  const messages = [...problems, ...failing]
  return {
    kept: verdicts.filter(({ keep }) => keep).length,
    removing: verdicts.filter(({ keep }) => !keep).length - removed,
    removed: (before?.removed ?? 0) + removed,
    failing: messages.length,
    message: (messages[0] ?? '').slice(0, 500),
    freedBytes: (before?.freedBytes ?? 0) + freedBytes,
    repositories: [...repositories],
  }
}
