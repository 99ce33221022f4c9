import type { ObjectReference } from '../api/object-reference.ts'
import type { Clock } from '../base/clock.ts'
import type { EngineIdentity } from '../functions/context.ts'
import type { Repositories } from '../functions/repositories.ts'
import type { Kube } from '../kube/kube.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { RecordWriter } from './record.ts'
import type { FindFunction } from './plan.ts'
import type { Renderer } from './renderer.ts'

/** What a worker touches. */
export interface WorkerDeps {
  readonly kube: Kube
  readonly jobs: JobTaker
  readonly findFunction: FindFunction
  readonly renderer: Renderer
  readonly repositories: Repositories
  openStore(profile: ResolvedProfile): Promise<ObjectStore>
  readonly writeRecord: RecordWriter
  /** Whose location has the records of actions that name no Profile. Absent: they have none, and status says so. */
  readonly defaultProfile?: ObjectReference
  readonly engine: EngineIdentity
  readonly clock: Clock
  readonly log: Logger
  /** `name` stays the same over restarts of the process (the pod's name); `instance` is new with each start. Both without `/`. */
  readonly worker: { readonly name: string; readonly instance: string }
  readonly watchNamespaces: readonly string[]
  readonly settings?: Partial<WorkerSettings>
}

export interface WorkerSettings {
  /** Actions at once. @default 16 */
  readonly concurrency: number
  /** Longest time of one phase in ms. @default 12 h */
  readonly phaseTimeoutMs: number
  /** How often the Lease of the worker is renewed, in ms. @default 2_000 */
  readonly heartbeatMs: number
  /** Longest time between a progress report and its write, in ms. @default 2_000 */
  readonly progressMs: number
  /** For how long a journal write is repeated while the API server is away, in ms. @default 1 h */
  readonly journalBudgetMs: number
  /** What a function that cannot be repeated gets to end by itself when the worker is stopped, in ms. @default 12_000 */
  readonly drainMs: number
  /** What a function gets to return after its signal was aborted, in ms. @default 15_000 */
  readonly graceMs: number
}

export interface Worker {
  /** Resolves when the worker takes jobs. */
  readonly ready: Promise<void>
  /** Rejects when another process of the same name took this one's place: it works no more and should end. Resolves after `close()`. */
  readonly done: Promise<void>
  /** Stops taking jobs, lets functions stop with reason RUN_SHUTDOWN, gives their actions free for other workers. */
  close(): Promise<void>
}

/** The part of the queue that a worker needs; `src/queue` has it. */
export interface JobTaker {
  take(handler: (job: TakenJob) => Promise<void>, options: { readonly concurrency: number }): TakenJobs
}

export interface TakenJob {
  readonly namespace: string
  readonly runName: string
  readonly actionIndex: number
  readonly dispatch: number
}

export interface TakenJobs {
  readonly healthy: boolean
  stop(graceMs: number): Promise<void>
}
