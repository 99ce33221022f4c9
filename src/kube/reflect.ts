import { backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import type { KubeObject, Live, ResourceDef } from './objects.ts'
import { createResourceApi } from './resources.ts'
import { watchEvents, type WatchScope } from './watch-events.ts'

/** Where a reflection goes. What these throw is reported to `onError` by the informer, or ends a wait. */
export interface ReflectSink<T> {
  /** The whole collection as it is: what is not in it does not exist. */
  replace(objects: readonly Live<T>[]): void
  set(object: Live<T>): void
  remove(object: Live<T>): void
  /** Something failed and will be tried again. What this throws ends the reflection. */
  onError(error: unknown): void
}

const backoff = { firstMs: 200, maxMs: 15_000 }
/** A watch that ends sooner than this counts as a failure, so that a broken server is not asked in a tight loop. */
const shortWatchMs = 1_000

/**
 * Lists, then watches from there, for ever: an ended watch goes on where it was, a version that is too old is listed
 * anew, any failure is repeated with backoff. Rejects with the signal's reason, or with what the sink threw.
 */
export async function reflect<T extends KubeObject>(
  client: KubeClient,
  def: ResourceDef<T>,
  scope: WatchScope,
  sink: ReflectSink<T>,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): Promise<never> {
  const api = createResourceApi(client, def)
  let version: string | undefined
  let failures = 0
  for (;;) {
    signal.throwIfAborted()
    const startedAt = clock.now()
    try {
      if (version === undefined) {
        const list = await api.list({ ...scope, signal, retry: false })
        sink.replace(list.items)
        version = list.resourceVersion
      }
      for await (const event of watchEvents(client, def, scope, version, signal)) {
        version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion
        failures = 0
        if (event.type === 'DELETED') sink.remove(event.object)
        else if (event.type !== 'BOOKMARK') sink.set(event.object)
      }
      if (clock.now() - startedAt >= shortWatchMs) {
        // A quiet watch has no event that would say that all is well again.
        failures = 0
        continue
      }
    } catch (error) {
      signal.throwIfAborted()
      if (kubeError.is(error, 'KUBE_GONE')) version = undefined
      sink.onError(error)
    }
    await clock.sleep(backoffMs(++failures, backoff), signal)
  }
}
