import type { RemovalPolicy } from '../actionset/removal.ts'
import type { Clock } from '../../base/clock.ts'
import type { FindFunction } from '../../engine/plan.ts'
import type { EventSink } from '../../kube/events.ts'
import type { Kube } from '../../kube/kube.ts'
import type { JobAdder } from '../../queue/queue.ts'
import type { Logger } from '../../telemetry/logger.ts'

/** What the operator touches. */
export interface OperatorDeps {
  readonly kube: Pick<Kube, 'resource' | 'informer' | 'leases' | 'eventSink'>
  readonly queue: JobAdder
  readonly findFunction: FindFunction
  readonly clock: Clock
  readonly log: Logger
  /** The engine's own namespace: the Leases of the workers are there. */
  readonly namespace: string
  /** Namespaces whose ActionSets are ours. */
  readonly watchNamespaces: readonly string[]
  /**
   * Holder of the leader Leases: unique among processes that live at one time, and best the same after a restart (the pod's
   * name), since a process that died and is back then need not wait for its own Lease to run out.
   */
  readonly identity: string
  readonly settings?: Partial<OperatorSettings>
  /** Further controllers; each is made anew for a watched namespace when its Lease is ours, and closed when it is not any more. */
  readonly controllers?: readonly ((namespace: string, events: EventSink) => Controller)[]
}

/** Acts on one namespace from `start` to `close`. */
export interface Controller {
  start(): Promise<void>
  close(): Promise<void>
}

export interface OperatorSettings {
  /** Reconciles at once. @default 16 */
  readonly concurrency: number
  /** A status that says only that something goes on waits this long for a better one, in ms. @default 250 */
  readonly coalesceMs: number
  /** Such statuses in a second, of all ActionSets of a namespace together; they take turns. @default 5 */
  readonly statusesPerSecond: number
  /** How often jobs of unfinished actions that nobody owns are added anew, in ms. @default 5_000 */
  readonly sweepMs: number
  /** How often the Leases of workers are read while some Run is open, in ms. @default 2_000 */
  readonly livenessPollMs: number
  /** A worker whose Lease was not renewed for so long is gone, in ms. @default 10_000 */
  readonly workerTimeoutMs: number
  /** ActionSets of one namespace under way at a time; 0: no limit. @default 0 */
  readonly perNamespace: number
  /** Jobs that wait in the queue at a time. @default 64 */
  readonly window: number
  /** How long an ActionSet that shares its objects with nobody waits for them unless it says otherwise, in ms. @default 24 h */
  readonly objectTimeoutMs: number
  /** Which ActionSets that have ended are removed. @default none */
  readonly removal: RemovalPolicy
  /** How often it is looked what may be removed, in ms. @default 30_000 */
  readonly tidyMs: number
  /** Runs are removed so long after their end, in ms. @default 24 h */
  readonly keepRunsMs: number
}

export interface Operator {
  /** Resolves when every watched namespace is ours and its objects are listed. Rejects with the reason of a refusal. */
  readonly ready: Promise<void>
  /** Rejects when a Kanister controller appeared: the process should end. Resolves after `close()`. */
  readonly done: Promise<void>
  /** What keeps it from its work and what to do, for people; undefined when nothing does. */
  trouble(): string | undefined
  /** Stops reconciling, gives the leader Leases free. Work in flight on workers goes on. */
  close(): Promise<void>
}
