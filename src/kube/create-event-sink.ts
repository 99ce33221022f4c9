import { randomBytes } from 'node:crypto'
import { type Clock, toRfc3339 } from '../base/clock.ts'
import type { KubeClient } from './client.ts'
import type { EventNote, EventSink, EventSubject } from './events.ts'
import { type CoreEvent, kinds } from './kinds.ts'
import { createResourceApi } from './resources.ts'

const maxWaiting = 1_000
const maxMessageBytes = 1_024
/** Events are sent one after the other; one that the server does not take in this time is given up. */
const sendMs = 10_000

interface Waiting {
  readonly subject: EventSubject
  readonly note: EventNote
  readonly firstMs: number
  lastMs: number
  count: number
}

export function createEventSink(client: KubeClient, component: string, clock: Clock): EventSink {
  const events = createResourceApi(client, kinds.events)
  const waiting = new Map<string, Waiting>()
  let running: Promise<void> | undefined
  let dropped = 0

  const drain = async (): Promise<void> => {
    for (;;) {
      const [next] = waiting
      if (!next) break
      const [key, event] = next
      waiting.delete(key)
      try {
        await events.create(render(event, component), { timeoutMs: sendMs })
      } catch {
        dropped++ // Events are a courtesy: the state is in the objects
      }
    }
    running = undefined
  }

  return {
    send(subject, note) {
      const key = JSON.stringify([
        subject.kind,
        subject.namespace,
        subject.name,
        subject.uid,
        note.type,
        note.reason,
        note.message,
      ])
      const known = waiting.get(key)
      const now = clock.now()
      if (known) {
        known.count++
        known.lastMs = now
        return
      }
      const [oldest] = waiting.keys()
      if (waiting.size >= maxWaiting && oldest !== undefined) {
        waiting.delete(oldest)
        dropped++
      }
      waiting.set(key, { subject, note, firstMs: now, lastMs: now, count: 1 })
      running ??= Promise.resolve().then(drain)
    },
    async flush(timeoutMs = 2_000) {
      if (running === undefined) return
      const own = new AbortController()
      const late = clock.sleep(timeoutMs, own.signal).catch(() => undefined)
      while (running !== undefined) {
        const ended = await Promise.race([running.then(() => true), late.then(() => false)])
        if (!ended) break
      }
      own.abort()
    },
    get dropped() {
      return dropped
    },
  }
}

function render({ subject, note, firstMs, lastMs, count }: Waiting, component: string): CoreEvent {
  const namespace = subject.namespace ?? 'default'
  return {
    metadata: { name: `${subject.name.slice(0, 200)}.${randomBytes(8).toString('hex')}`, namespace },
    involvedObject: { ...subject },
    type: note.type,
    reason: note.reason,
    message: cut(note.message),
    action: note.action ?? note.reason,
    source: { component },
    reportingComponent: component,
    reportingInstance: component,
    firstTimestamp: toRfc3339(firstMs),
    lastTimestamp: toRfc3339(lastMs),
    count,
  } as CoreEvent // `subject` may carry undefined fields, which JSON leaves out
}

function cut(message: string): string {
  const bytes = Buffer.from(message)
  if (bytes.length <= maxMessageBytes) return message
  return `${bytes
    .subarray(0, maxMessageBytes - 3)
    .toString('utf8')
    .replace(/\uFFFD+$/, '')}…`
}
