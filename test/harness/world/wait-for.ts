import { setTimeout as delay } from 'node:timers/promises'

export interface WaitOptions {
  /** Milliseconds until the wait is given up. @default 50_000 */
  readonly timeoutMs?: number
  /** Milliseconds between looks. @default 20, growing to 500 */
  readonly intervalMs?: number
  /** Looked at too: once it gives a text, the wait fails with it at once. */
  readonly unless?: () => string | false | undefined
  readonly signal?: AbortSignal
}

/**
 * Looks until `condition` gives something true and returns that; after the deadline fails, naming `what`.
 * A condition that throws counts as not yet; its last error is the cause of the failure.
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  options: WaitOptions = {},
): Promise<Exclude<T, false | null | undefined | '' | 0>> {
  const { timeoutMs = 50_000, signal } = options
  const end = performance.now() + timeoutMs
  let intervalMs = options.intervalMs ?? 20
  let lastError: unknown
  for (;;) {
    try {
      const value = await condition()
      if (value) return value as Exclude<T, false | null | undefined | '' | 0>
      lastError = undefined
    } catch (error) {
      lastError = error
    }
    signal?.throwIfAborted()
    const hopeless = options.unless?.()
    if (hopeless) throw new Error(`waiting for ${what}: ${hopeless}`, { cause: lastError })
    if (performance.now() >= end) break
    await delay(intervalMs, undefined, signal ? { signal } : {})
    intervalMs = options.intervalMs ?? Math.min(500, intervalMs * 1.5)
  }
  const why = lastError instanceof Error ? `: ${lastError.message}` : ''
  throw new Error(`waited ${timeoutMs / 1000} s for ${what}${why}`, { cause: lastError })
}
