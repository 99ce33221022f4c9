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
      const { done, value } = await nextOrAbort(iterator, signal)
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

function nextOrAbort<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    const settle = (): void => signal.removeEventListener('abort', onAbort)
    iterator.next().then(resolve, reject).finally(settle)
  })
}
