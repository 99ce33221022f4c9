/**
 * Reads a stream that may stall: an abort ends the reading at once, though the stream's own `next` may never answer. The stream is told to
 * end, and is not waited for.
 */
export async function* readUntilAborted(
  stream: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = stream[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const { done, value } = await orAborted(() => iterator.next(), signal)
      if (done) {
        ended = true
        return
      }
      yield value
    }
  } finally {
    // A stream that failed or was left ends in its own time; its failure, if any, was or is reported elsewhere.
    if (!ended) void iterator.return?.().catch(() => undefined)
  }
}

/** Waits for something that may never answer; an abort ends the waiting at once. */
export function orAborted<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => signal.removeEventListener('abort', onAbort)
    ask().then(resolve, reject).finally(settle)
  })
}
