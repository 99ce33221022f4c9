import type { PartPlan } from './part-plan.ts'
import { type Part, Parts } from './parts.ts'

/** One upload in parts on its way. `stop` ends all of it, whoever fails first. */
export interface PartFlow {
  readonly parts: Parts
  readonly stop: AbortController
  /** Aborted from outside or by `stop`. */
  readonly signal: AbortSignal
}

export interface PartSource {
  readonly body: AsyncIterable<Uint8Array>
  readonly plan: PartPlan
  readonly signal: AbortSignal
}

/** Runs an upload of a stream: the first failure, of the stream or of a part, is the one that is thrown. */
export async function withParts<T>(source: PartSource, work: (flow: PartFlow) => Promise<T>): Promise<T> {
  source.signal.throwIfAborted()
  const stop = new AbortController()
  const signal = AbortSignal.any([source.signal, stop.signal])
  const parts = new Parts(source.body, source.plan, signal)
  try {
    return await work({ parts, stop, signal })
  } catch (error) {
    stop.abort(error)
    // An abort from outside is thrown as it was given, even if it was first seen as a failed request.
    source.signal.throwIfAborted()
    throw stop.signal.reason
  } finally {
    parts.cancel()
    stop.abort(new Error('finished'))
  }
}

/** Sends up to `limit` parts, as many at once as there are buffers; returns when all of them are stored. Numbers begin at 1. */
export async function sendParts(
  { parts, stop, signal }: PartFlow,
  { first, limit }: { readonly first?: Part; readonly limit: number },
  sendPart: (part: Part, number: number) => Promise<void>,
): Promise<void> {
  const sending = new Set<Promise<void>>()
  const send = (part: Part, number: number): void => {
    const sent = sendPart(part, number)
      .catch((error: unknown) => stop.abort(error))
      .finally(() => {
        part.release()
        sending.delete(sent)
      })
    sending.add(sent)
  }
  try {
    let count = 0
    if (first) send(first, ++count)
    while (!parts.ended && count < limit) send(await parts.next(), ++count)
  } finally {
    // Also after a failure: an upload is aborted only when no part of it is on its way any more.
    await Promise.all(sending)
  }
  signal.throwIfAborted()
}
