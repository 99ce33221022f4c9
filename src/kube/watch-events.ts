import type { KubeClient } from './client.ts'
import { errorOfAnswer, errorOfTransport } from './api-errors.ts'
import { kubeError } from './errors.ts'
import { type KubeObject, type Live, pathOf, type ResourceDef } from './objects.ts'

export interface WatchScope {
  readonly namespace?: string | undefined
  readonly labelSelector?: string | undefined
  readonly fieldSelector?: string | undefined
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: Live<T> }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

/**
 * We ask the server to end a watch after this, and go on where it was: bookmarks come once a minute at most, so the end is the one
 * sign of life that a quiet watch gives soon. It costs a request, whatever the number of objects.
 */
const watchSeconds = 30
/** A healthy watch is over by now. One that lost its server without a word is found out. */
const silenceMs = 40_000

/** One watch from `resourceVersion`. Ends when the server ends it; throws KUBE_GONE when it can't go on from there. */
export async function* watchEvents<T extends KubeObject>(
  client: KubeClient,
  def: ResourceDef<T>,
  scope: WatchScope,
  resourceVersion: string,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>> {
  const query = {
    watch: true,
    allowWatchBookmarks: true,
    timeoutSeconds: watchSeconds,
    resourceVersion,
    labelSelector: scope.labelSelector,
    fieldSelector: scope.fieldSelector,
  }
  const path = pathOf(def, { namespace: scope.namespace })
  const response = await client.stream({ method: 'GET', path, query }, { signal, retry: false })
  const silent = setTimeout(() => response.destroy(kubeError('KUBE_TIMEOUT', `the watch of ${path} went silent`)), silenceMs)
  silent.unref()
  try {
    for await (const line of jsonLines(response, () => silent.refresh())) {
      yield eventOf<T>(JSON.parse(line), path)
    }
  } catch (error) {
    signal.throwIfAborted()
    throw kubeError.is(error) ? error : errorOfTransport(error, client.server)
  } finally {
    clearTimeout(silent)
    response.destroy()
  }
}

interface RawEvent<T> {
  readonly type: string
  readonly object: Live<T> & { readonly code?: number }
}

function eventOf<T>(raw: RawEvent<T>, path: string): WatchEvent<T> {
  const { type, object } = raw
  if (type === 'BOOKMARK') return { type, resourceVersion: object.metadata.resourceVersion }
  if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') return { type, object }
  throw errorOfAnswer(object.code ?? 500, JSON.stringify(object), `watch of ${path}`)
}

async function* jsonLines(body: AsyncIterable<Buffer>, onData: () => void): AsyncGenerator<string> {
  let parts: Buffer[] = []
  for await (const chunk of body) {
    onData()
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const line = parts.length > 0 ? Buffer.concat([...parts, chunk.subarray(start, end)]) : chunk.subarray(start, end)
      parts = []
      start = end + 1
      if (line.length > 0) yield line.toString('utf8')
    }
    if (start < chunk.length) parts.push(chunk.subarray(start))
  }
}
