import type { EventNote, EventSubject } from './events.ts'

export interface WaitingEvent {
  readonly subject: EventSubject
  readonly note: EventNote
  readonly firstMs: number
  lastMs: number
  count: number
}

const maxWaiting = 1_000

/** Events that wait to be sent: Warnings before the rest, each in the order they came; equal ones are one with a count. */
export class EventBacklog {
  readonly #warnings = new Map<string, WaitingEvent>()
  readonly #others = new Map<string, WaitingEvent>()
  dropped = 0

  get size(): number {
    return this.#warnings.size + this.#others.size
  }

  add(subject: EventSubject, note: EventNote, now: number): void {
    const { kind, namespace, name, uid } = subject
    const key = JSON.stringify([kind, namespace, name, uid, note.type, note.reason, note.message])
    const waiting = note.type === 'Warning' ? this.#warnings : this.#others
    const known = waiting.get(key)
    if (known) {
      known.count++
      known.lastMs = now
      return
    }
    if (this.size >= maxWaiting) this.#dropOldest()
    waiting.set(key, { subject, note, firstMs: now, lastMs: now, count: 1 })
  }

  take(): WaitingEvent | undefined {
    const from = this.#warnings.size > 0 ? this.#warnings : this.#others
    const [first] = from
    if (!first) return undefined
    from.delete(first[0])
    return first[1]
  }

  #dropOldest(): void {
    const from = this.#others.size > 0 ? this.#others : this.#warnings
    const [oldest] = from.keys()
    if (oldest === undefined) return
    from.delete(oldest)
    this.dropped++
  }
}
