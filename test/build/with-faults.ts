import type { ObjectStore } from '../../src/store/object-store.ts'

export type StoreMethod = Exclude<keyof ObjectStore, 'description'>

/** What happens to one call. */
export type ScriptedFault =
  /** It fails with this instead of being done. */
  | { readonly fail: unknown }
  /** It is done, and then fails: the answer was lost. */
  | { readonly failAfter: unknown }
  /** It never ends, but for its signal. */
  | { readonly hang: true }

/** A call before it is done: `index` counts the calls of this method from 1. */
export interface ScriptedCall {
  readonly method: StoreMethod
  readonly index: number
  /** Key or prefix; empty for deleteMany. */
  readonly key: string
}

/**
 * A store that fails as scripted: `withFaults(store, ({ method, index }) => (method === 'put' && index === 2 ? { fail: error } : undefined))`
 * fails the second put. Streams and listings fail with their first read.
 */
export function withFaults(store: ObjectStore, script: (call: ScriptedCall) => ScriptedFault | undefined): ObjectStore {
  const counts = new Map<StoreMethod, number>()
  const faultOf = (method: StoreMethod, key: string): ScriptedFault | undefined => {
    const index = (counts.get(method) ?? 0) + 1
    counts.set(method, index)
    return script({ method, index, key })
  }
  const call = async <T>(
    method: StoreMethod,
    key: string,
    signal: AbortSignal | undefined,
    work: () => Promise<T>,
  ): Promise<T> => {
    const fault = faultOf(method, key)
    if (fault && 'hang' in fault) await hang(signal)
    if (fault && 'fail' in fault) throw fault.fail
    const result = await work()
    if (fault && 'failAfter' in fault) throw fault.failAfter
    return result
  }
  const stream = async function* <T>(
    method: StoreMethod,
    key: string,
    signal: AbortSignal | undefined,
    items: () => AsyncIterable<T>,
  ) {
    const fault = faultOf(method, key)
    if (fault && 'hang' in fault) await hang(signal)
    if (fault && 'fail' in fault) throw fault.fail
    yield* items()
    if (fault && 'failAfter' in fault) throw fault.failAfter
  }
  return {
    description: `${store.description} (with faults)`,
    put: (key, body, options) => call('put', key, options?.signal, () => store.put(key, body, options)),
    putStream: (key, body, options) => call('putStream', key, options?.signal, () => store.putStream(key, body, options)),
    get: (key, options) => call('get', key, options?.signal, () => store.get(key, options)),
    getStream: (key, options) => stream('getStream', key, options?.signal, () => store.getStream(key, options)),
    head: (key, options) => call('head', key, options?.signal, () => store.head(key, options)),
    list: (prefix, options) => stream('list', prefix, options?.signal, () => store.list(prefix, options)),
    delete: (key, options) => call('delete', key, options?.signal, () => store.delete(key, options)),
    deleteMany: (keys, options) => call('deleteMany', '', options?.signal, () => store.deleteMany(keys, options)),
  }
}

function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onAbort = (): void => reject(signal?.reason)
    if (signal?.aborted) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
