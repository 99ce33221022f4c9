import type { Schedule, ScheduledObject, ScheduleStatus } from '../../api/schedule.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import { isFailing, lastGood } from '../proof/outcomes.ts'
import { statusOf, type Decision } from './decide.ts'

/** What Schedules say to a monitoring system. Taken from their status, so a restart of the engine changes nothing. */
export class ScheduleMeter {
  readonly #metrics: Metrics
  readonly #namespace: string

  constructor(metrics: Metrics, namespace: string) {
    this.#metrics = metrics
    this.#namespace = namespace
  }

  take(schedule: Schedule, decision: Decision): void {
    const labels = this.#labels(schedule.metadata.name)
    const { objects = {}, neverSucceeded = 0, nextRun, lastSuccess, verification } = statusOf(schedule, decision)
    const all = Object.values(objects)
    const gauges = {
      holdfast_schedule_objects: all.length,
      holdfast_schedule_failing_objects: all.filter(({ lastFailure }) => lastFailure).length,
      holdfast_schedule_never_succeeded_objects: neverSucceeded,
      holdfast_schedule_skipped_slots: all.reduce((sum, { skipped }) => sum + (skipped?.count ?? 0), 0),
      holdfast_schedule_suspended: schedule.spec.suspend ? 1 : 0,
      holdfast_schedule_broken: decision.fault === undefined ? 0 : 1,
      holdfast_schedule_next_run_timestamp_seconds: seconds(nextRun),
      holdfast_schedule_last_success_timestamp_seconds: seconds(lastSuccess),
      holdfast_schedule_unprotected_since_timestamp_seconds: Math.min(
        ...all.map((object) => seconds(object.lastSuccess ?? object.since)),
        Number.MAX_SAFE_INTEGER,
      ),
      ...proofsOf(schedule, all, verification),
    } as const
    for (const [name, value] of Object.entries(gauges)) this.#metrics.set(name as keyof typeof gauges, value, labels)
  }

  forget(schedule: string): void {
    this.#metrics.remove(this.#labels(schedule))
  }

  #labels(schedule: string): Record<string, string> {
    return { namespace: this.#namespace, schedule }
  }
}

/** All 0 while nothing is to be proven. */
function proofsOf(
  schedule: Schedule,
  objects: readonly ScheduledObject[],
  verification: ScheduleStatus['verification'],
): Readonly<Record<ProofGauge, number>> {
  const since = seconds(verification?.since)
  // What never had a good backup is unprotected, and said so elsewhere.
  const all = verification ? objects.filter(({ lastSuccess }) => lastSuccess) : []
  const waiting = all.map((object) => seconds(lastGood(schedule, object)) || Math.max(since, seconds(object.since)))
  return {
    holdfast_schedule_last_proven_timestamp_seconds: seconds(verification?.lastProven),
    holdfast_schedule_unproven_since_timestamp_seconds: waiting.length === 0 ? 0 : Math.min(...waiting),
    holdfast_schedule_never_proven_objects: all.filter((object) => lastGood(schedule, object) === undefined).length,
    holdfast_schedule_disproved_objects: all.filter(({ lastDisproved }) => lastDisproved).length,
    holdfast_schedule_verification_failing: all.filter(isFailing).length,
  }
}

type ProofGauge =
  | 'holdfast_schedule_last_proven_timestamp_seconds'
  | 'holdfast_schedule_unproven_since_timestamp_seconds'
  | 'holdfast_schedule_never_proven_objects'
  | 'holdfast_schedule_disproved_objects'
  | 'holdfast_schedule_verification_failing'

/** 0 where there is none: an absent series cannot be alerted on. */
function seconds(time: string | undefined): number {
  return time === undefined ? 0 : Date.parse(time) / 1_000
}
