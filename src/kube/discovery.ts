import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import { apiVersionOf, type ResourceName } from './objects.ts'

export interface DiscoveredResource extends ResourceName {
  readonly kind: string
  readonly namespaced: boolean
}

interface RawResource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
}

export type Discover = (
  apiVersion: string,
  kind: string,
  options?: { readonly signal?: AbortSignal | undefined },
) => Promise<DiscoveredResource>

/** See `Kube.discover`. What was found is kept; what was not is asked again, since a CRD may have come. */
export function createDiscovery(client: KubeClient): Discover {
  const known = new Map<string, readonly RawResource[]>()
  return async (apiVersion, kind, options = {}) => {
    const [first = '', second] = apiVersion.split('/')
    const group = second === undefined ? '' : first
    const version = second ?? first
    // A kind begins with a capital, a plural does not: one can never be taken for the other.
    const match = (each: RawResource): boolean => (each.kind === kind || each.name === kind) && !each.name.includes('/')
    const found =
      known.get(apiVersion)?.find(match) ??
      (await load(client, known, apiVersionOf({ group, version }), options.signal)).find(match)
    if (!found)
      throw kubeError('KUBE_NOT_FOUND', `the API server knows no kind ${kind} in ${apiVersion}; is its CRD installed?`)
    return { group, version, resource: found.name, kind: found.kind, namespaced: found.namespaced }
  }
}

async function load(
  client: KubeClient,
  known: Map<string, readonly RawResource[]>,
  apiVersion: string,
  signal: AbortSignal | undefined,
): Promise<readonly RawResource[]> {
  const path = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  try {
    const answer = await client.request<{ readonly resources?: readonly RawResource[] }>({ method: 'GET', path }, { signal })
    known.set(apiVersion, answer.resources ?? [])
    return answer.resources ?? []
  } catch (error) {
    if (kubeError.is(error, 'KUBE_NOT_FOUND')) return []
    throw error
  }
}
