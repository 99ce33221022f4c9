import { fits } from '../schema/check.ts'
import { freeObject, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'

/**
 * What the Run keeps of a job pod, so that a later attempt finds it:
 *
 * - `creating`: written before the pod is made. If there is none, it never was: make it.
 * - `created`: the pod was there. If it is gone, its result is lost.
 * - `finished`: its result was read; all that is left is to clean up.
 */
const JobCheckpoint = object({
  step: oneOf(['creating', 'created', 'finished'], 'How far it went.'),
  namespace: text('Namespace of the pod.'),
  name: text('Name of the pod.'),
  uid: optional(text('UID of the pod.')),
  stillborn: optional(text('UID of the pod before it, of which nothing ran: there is a second one, and no third.')),
  outputs: optional(freeObject('What it reported.')),
})
export type JobCheckpoint = TypeOf<typeof JobCheckpoint>

export function readJobCheckpoint(resumed: unknown): JobCheckpoint | undefined {
  return fits(JobCheckpoint, resumed) ? resumed : undefined
}
