import type { StoreTiming } from './timing.ts'

/**
 * Runs the request that publishes an object. An abort meanwhile does not cut it off at once, which would leave open whether the
 * object is there: it gets `graceMs` to end, and its outcome counts. Only then is it cut off, with the abort's reason.
 */
export async function publishing<T>(
  { timing }: { readonly timing: Pick<StoreTiming, 'graceMs'> },
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const own = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const onAbort = (): void => {
    timer = setTimeout(() => own.abort(signal.reason), timing.graceMs)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await work(own.signal)
  } finally {
    signal.removeEventListener('abort', onAbort)
    clearTimeout(timer)
  }
}
