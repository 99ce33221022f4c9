import type { RunActionSpec } from '../api/run.ts'
import type { Fetched } from './references.ts'
import type { Journal } from './journal.ts'
import type { Losses } from './lost-connection.ts'
import type { LiveInputs } from './params.ts'
import { buildParams } from './params.ts'
import type { TemplateParams } from '../template/variables.ts'
import type { WorkerDeps, WorkerSettings } from './worker.ts'
import type { PhaseAt } from './machine.ts'
import type { RenderScope } from './renderer.ts'

/** One worker's work on one action, from claiming it to its end or to the loss of it. */
export interface Attempt {
  readonly deps: AttemptDeps
  readonly settings: WorkerSettings
  readonly journal: Journal
  readonly spec: RunActionSpec
  /** Aborted when the worker stops (RUN_SHUTDOWN) or lost the action: no further step begins. */
  readonly stop: AbortSignal
  /** The same, but some seconds later on shutdown: for functions that cannot be repeated, which may still end by themselves. */
  readonly lateStop: AbortSignal
  /** Aborted with RUN_CANCELLED. The deferred phase does not listen to it. */
  readonly cancel: AbortSignal
  /** Secrets and ConfigMaps of phases that have started. */
  readonly fetched: Map<PhaseAt, Fetched>
  /** Connections to commands that broke, by phase and try. */
  readonly losses: Map<string, Losses>
  /** Read when needed, once per attempt. */
  live: LiveInputs | undefined
}

export type AttemptDeps = Omit<WorkerDeps, 'jobs' | 'settings' | 'watchNamespaces'>

/** The variables as they are now. Only once the inputs were frozen and read. */
export function paramsOf(attempt: Attempt): TemplateParams {
  const { journal, spec, live, fetched } = attempt
  const { inputs } = journal.action
  if (!inputs || !live) throw new Error('the inputs of the action were not read yet')
  return buildParams({ spec: spec.action, action: journal.action, inputs, live, fetched })
}

export function scopeOf(attempt: Attempt): RenderScope {
  return {
    language: attempt.spec.templateLanguage ?? 'GoTemplate',
    params: paramsOf(attempt),
    seed: attempt.journal.action.inputs?.seed ?? '',
  }
}
