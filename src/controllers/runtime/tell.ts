import { apiVersionOf, type Kind, type StoredMeta } from '../../api/kind.ts'
import { messageOf } from '../../base/errors.ts'
import type { EventNote, EventSink } from '../../kube/events.ts'
import type { Logger } from '../../telemetry/logger.ts'

export interface TellDeps {
  readonly events: EventSink
  readonly log: Logger
}

/** Says in an Event and in the log what became of one of our objects. An Event that cannot be sent stops nothing. */
export function tell(
  { events, log }: TellDeps,
  kind: Kind,
  { metadata }: { readonly metadata: StoredMeta },
  note: EventNote,
): void {
  const { namespace, name, uid } = metadata
  log.info({ [kind.kind]: name, reason: note.reason }, note.message)
  try {
    events.send({ apiVersion: apiVersionOf(kind), kind: kind.kind, namespace, name, uid }, note)
  } catch (error) {
    log.debug({ error: messageOf(error) }, 'Event not sent')
  }
}
