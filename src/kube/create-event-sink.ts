import { randomBytes } from 'node:crypto'
import { type Clock, toRfc3339 } from '../base/clock.ts'
import type { KubeClient } from './client.ts'
import { EventBacklog, type WaitingEvent } from './event-backlog.ts'
import { EventPace } from './event-pace.ts'
import type { EventSink } from './events.ts'
import { type CoreEvent, kinds } from './kinds.ts'
import { createResourceApi } from './resources.ts'

const maxMessageBytes = 1_024
/** Events are sent one after the other; one that the server does not take in this time is given up. */
const sendMs = 10_000

export function createEventSink(client: KubeClient, component: string, clock: Clock): EventSink {
  const events = createResourceApi(client, kinds.events)
  const waiting = new EventBacklog()
  const pace = new EventPace()
  let running: Promise<void> | undefined
  let refused = 0
  let hurry = new AbortController()

  const drain = async (): Promise<void> => {
    while (waiting.size > 0) {
      const waitMs = hurry.signal.aborted ? 0 : pace.waitMs(clock.now())
      if (waitMs > 0) {
        await clock.sleep(waitMs, hurry.signal).catch(() => undefined)
        continue
      }
      const next = waiting.take()
      if (next) await send(next)
    }
    running = undefined
  }

  const send = async (event: WaitingEvent): Promise<void> => {
    const startedMs = clock.now()
    try {
      await events.create(render(event, component), { timeoutMs: sendMs })
    } catch {
      refused++ // Events are a courtesy: the state is in the objects
    }
    pace.took(clock.now() - startedMs)
  }

  return {
    send(subject, note) {
      const now = clock.now()
      pace.came(now)
      waiting.add(subject, note, now)
      running ??= Promise.resolve().then(drain)
    },
    async flush(timeoutMs = 2_000) {
      if (running === undefined) return
      const own = new AbortController()
      const late = clock.sleep(timeoutMs, own.signal).catch(() => undefined)
      hurry.abort()
      while (running !== undefined) {
        const ended = await Promise.race([running.then(() => true), late.then(() => false)])
        if (!ended) break
      }
      hurry = new AbortController()
      own.abort()
    },
    get dropped() {
      return refused + waiting.dropped
    },
  }
}

function render({ subject, note, firstMs, lastMs, count }: WaitingEvent, component: string): CoreEvent {
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
