/**
 * Waits for `promise`, at most `ms`; then `onTimeout` gives the error to throw, or undefined to go on without a value.
 * Rejects with the signal's reason when it is aborted. The promise itself goes on; its late rejection is taken.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  promise: Promise<T>,
  onTimeout: () => Error | undefined,
): Promise<T | undefined> {
  const { promise: other, resolve, reject } = Promise.withResolvers<undefined>()
  const stop = (): void => reject(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  const timer = setTimeout(() => {
    const error = onTimeout()
    if (error) reject(error)
    else resolve(undefined)
  }, ms)
  try {
    return await Promise.race([promise, other])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}
