import { createHash } from 'node:crypto'
import type { ActionSetStatus } from '../../api/actionset.ts'
import type { Clock } from '../../base/clock.ts'
import type { OperatorSettings } from '../runtime/operator.ts'
import { StatusPace } from './status-pace.ts'

interface Written {
  readonly hash: string
  readonly resourceVersion: string
  readonly atMs: number
}

/**
 * Which status was written last to each ActionSet that is under way. For two things: a status that only says that something
 * goes on waits a little for a better one, and longer when many have such news; and one that the server stored differently (a
 * Kanister's CRD drops our fields) is not written for ever.
 */
export class WrittenStatuses {
  readonly #clock: Clock
  readonly #coalesceMs: number
  readonly #pace: StatusPace
  /** When leave was given. */
  readonly #begun = new Map<string, number>()
  readonly #written = new Map<string, Written>()
  /** When a key was first asked about. */
  readonly #since = new Map<string, number>()

  constructor(clock: Clock, { coalesceMs, statusesPerSecond }: Pick<OperatorSettings, 'coalesceMs' | 'statusesPerSecond'>) {
    this.#clock = clock
    this.#coalesceMs = coalesceMs
    this.#pace = new StatusPace(clock, statusesPerSecond)
  }

  isWritten(
    key: string,
    actionSet: { readonly metadata: { readonly resourceVersion: string } },
    status: ActionSetStatus,
  ): boolean {
    const last = this.#written.get(key)
    return last?.hash === hashOf(status) && last.resourceVersion === actionSet.metadata.resourceVersion
  }

  /** How long to hold a status back; 0 gives leave to write it now. An end is never held back. */
  waitMs(key: string, status: ActionSetStatus): number {
    this.#begun.delete(key)
    if (status.state === 'complete' || status.state === 'failed') return 0
    const now = this.#clock.now()
    const last = this.#written.get(key)?.atMs ?? this.#since.get(key)
    if (last === undefined) this.#since.set(key, now)
    const dueInMs = (last ?? now) + this.#coalesceMs - now
    if (dueInMs > 0) return dueInMs
    const waitMs = this.#pace.waitMs(key)
    if (waitMs === 0) this.#begun.set(key, now)
    return waitMs
  }

  wrote(key: string, actionSet: { readonly metadata: { readonly resourceVersion: string } }, status: ActionSetStatus): void {
    const begunMs = this.#begun.get(key)
    if (begunMs !== undefined) this.#pace.took(this.#clock.now() - begunMs)
    this.#begun.delete(key)
    this.#written.set(key, {
      hash: hashOf(status),
      resourceVersion: actionSet.metadata.resourceVersion,
      atMs: this.#clock.now(),
    })
    this.#since.delete(key)
  }

  forget(key: string): void {
    this.#pace.leave(key)
    this.#begun.delete(key)
    this.#written.delete(key)
    this.#since.delete(key)
  }
}

function hashOf(status: ActionSetStatus): string {
  return createHash('sha256').update(JSON.stringify(status)).digest('base64')
}
