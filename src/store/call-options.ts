import type { CallOptions } from './object-store.ts'

/** The caller's signal, or one that nobody aborts. */
export function signalOf(options: CallOptions): AbortSignal {
  return options.signal ?? new AbortController().signal
}
