/**
 * A way to wake a worker. A job carries references only: everything that counts stands in the Run. Delivery is at least once
 * and may fail for good (a wiped Redis): whoever adds jobs must be ready to add them again, and whoever takes one must look
 * into the Run whether there is anything to do.
 */
export interface Job {
  readonly namespace: string
  readonly runName: string
  readonly actionIndex: number
  /** Counted in the Run; part of the job's id, so that a handover is a new job. */
  readonly dispatch: number
}

/** The side of the operator. */
export interface JobAdder {
  /** Adding a job whose id is waiting or being worked on does nothing. Throws QUEUE_UNAVAILABLE within some seconds. */
  add(id: string, job: Job, options?: AddOptions): Promise<void>
  /** Called each time the queue can be reached again after it could not: its contents may be lost. Returns the way to unsubscribe. */
  onReconnect(handler: () => void): () => void
  close(): Promise<void>
}

export interface AddOptions {
  /** 1 is taken first; 0 or absent counts as most urgent of all. */
  readonly priority?: number
}

/** The side of a worker. */
export interface JobSource {
  /** Takes jobs and calls `handler` for each, at most `concurrency` at once. A job is gone when its handler settles, whatever came of it. */
  take(handler: JobHandler, options: TakeOptions): JobConsumer
  close(): Promise<void>
}

export type JobHandler = (job: Job) => Promise<void>

export interface TakeOptions {
  readonly concurrency: number
}

export interface JobConsumer {
  /** False while the queue cannot be reached. */
  readonly healthy: boolean
  /** Takes no further jobs. Resolves when those in work have settled, or after `graceMs`. */
  stop(graceMs: number): Promise<void>
}

/** `<uid>-<action index>-<dispatch>`: names may repeat within an ActionSet, and a colon is not allowed. */
export function jobId(actionSetUid: string, actionIndex: number, dispatch: number): string {
  return `${actionSetUid}-${actionIndex}-${dispatch}`
}

/** The queue of an installation, named by its namespace. */
export function queueName(engineNamespace: string): string {
  return `holdfast-${engineNamespace}`
}
