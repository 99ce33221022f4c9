import type { CatalogImport, CatalogImportStatus } from '../../api/catalog-import.ts'
import { toRfc3339 } from '../../base/clock.ts'
import type { ImportPlan, ImportResult } from '../../recovery/import-catalog.ts'
import type { PreparedImport } from '../../recovery/prepare-import.ts'
import { specHash } from '../runtime/spec-hash.ts'

/** What is to be done now. */
export type Step =
  | { readonly kind: 'nothing' }
  /** Nothing before this time, epoch ms. */
  | { readonly kind: 'later'; readonly atMs: number }
  | { readonly kind: 'import'; readonly attempt: number }

const firstRetryMs = 60_000
const longestRetryMs = 6 * 3_600_000
/** A key that is missing is asked for by one request. */
const keyLookMs = 30_000

/** Pure. */
export function decide({ spec, status }: Pick<CatalogImport, 'spec' | 'status'>, nowMs: number): Step {
  if (status?.observed !== specHash(spec)) return { kind: 'import', attempt: 1 }
  const attempt = (status.attempts ?? 0) + 1
  // The engine was ended in the middle of it.
  if (status.state === 'running') return { kind: 'import', attempt }
  if (status.nextAt === undefined) return { kind: 'nothing' }
  const atMs = Date.parse(status.nextAt)
  return atMs > nowMs ? { kind: 'later', atMs } : { kind: 'import', attempt }
}

/** One try, and when it is now. */
export interface Try {
  readonly spec: CatalogImport['spec']
  readonly attempt: number
  readonly startedMs: number
  readonly nowMs: number
}

export function runningStatus({ spec, attempt, startedMs }: Try): CatalogImportStatus {
  return { state: 'running', message: '', observed: specHash(spec), attempts: attempt, startedAt: toRfc3339(startedMs) }
}

export function lacksKey(one: Try): CatalogImportStatus {
  const message =
    'the recovery key of the catalog is not in this cluster, so its records cannot be read: run "holdfast key import" with what "holdfast key export" printed'
  return { ...waiting(one, message), nextAt: toRfc3339(one.nowMs + keyLookMs) }
}

export function couldNotLook(one: Try, message: string): CatalogImportStatus {
  return { ...waiting(one, message), nextAt: nextAt(one) }
}

/** It is nobody's to do, whatever happens later. */
export function outOfPlace(one: Try, engineNamespace: string): CatalogImportStatus {
  return waiting(one, `a CatalogImport works in the engine's namespace only: make it in ${engineNamespace}`)
}

function waiting(one: Try, message: string): CatalogImportStatus {
  return { ...runningStatus(one), state: 'waiting', message }
}

/** Status is one object of the API server; whoever wants all runs `holdfast dr import --plan`. */
const mostProblems = 20
const longestProblem = 300
const mostWriters = 20

/** When it was done. `result` is absent with dryRun. */
export function doneStatus(
  one: Try,
  { records, locked, writers, target, plan }: PreparedImport,
  result: ImportResult | undefined,
): CatalogImportStatus {
  const problems = result?.problems ?? plan.problems
  const created = result ? createdBy(result) : wouldCreate(plan)
  const refused = problems.length - plan.problems.length
  // What the server refused may be taken later, and a key may come; what is broken in the bucket stays so.
  const again = refused > 0 || locked > 0
  return {
    ...runningStatus(one),
    state: problems.length > 0 ? 'incomplete' : 'complete',
    message: messageOf({ isDry: result === undefined, locked, problems: problems.length }),
    endedAt: toRfc3339(one.nowMs),
    ...(again ? { nextAt: nextAt(one) } : {}),
    records,
    created,
    present: plan.blueprints.length + plan.actionSets.length + plan.schedules.length - sizeOf(created) - refused,
    problemCount: problems.length,
    problems: problems.slice(0, mostProblems).map((problem) => problem.slice(0, longestProblem)),
    writers: writers.slice(0, mostWriters).map((writer) => ({ ...writer, owned: target.owned.has(writer.installation) })),
  }
}

type Created = NonNullable<CatalogImportStatus['created']>

function createdBy({ createdBlueprints, createdActionSets, createdSchedules }: ImportResult): Created {
  return { blueprints: createdBlueprints, actionSets: createdActionSets, schedules: createdSchedules }
}

function wouldCreate({ blueprints, actionSets, schedules }: ImportPlan): Created {
  const count = (list: readonly { readonly what: string }[]): number => list.filter(({ what }) => what === 'create').length
  return { blueprints: count(blueprints), actionSets: count(actionSets), schedules: count(schedules) }
}

function sizeOf({ blueprints, actionSets, schedules }: Created): number {
  return blueprints + actionSets + schedules
}

function messageOf({
  isDry,
  locked,
  problems,
}: {
  readonly isDry: boolean
  readonly locked: number
  readonly problems: number
}): string {
  const done = isDry ? 'dryRun: nothing was made' : 'imported'
  if (problems === 0) return done
  const keys = locked > 0 ? `; ${locked} records open by another recovery key: bring it by "holdfast key import"` : ''
  return `${done}, but for ${problems} problems${keys}`
}

function nextAt({ attempt, nowMs }: Try): string {
  return toRfc3339(nowMs + Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempt - 1, 20)))
}
