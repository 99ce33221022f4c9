import type { ObjectReference } from '../api/object-reference.ts'
import { apiVersionOf, type ObjectKey, type ResourceName, resourceOfReference } from '../kube/objects.ts'
import type { FunctionContext } from './context.ts'

/** Where a reference leads: the server says whether the kind lives in namespaces; then an empty one is the fallback. */
export async function locateObject(
  ctx: Pick<FunctionContext, 'kube' | 'signal'>,
  reference: ObjectReference,
  fallbackNamespace: string,
): Promise<{ readonly resource: ResourceName; readonly key: ObjectKey }> {
  const named = resourceOfReference(reference)
  const resource = await ctx.kube.discover(apiVersionOf(named), named.resource, { signal: ctx.signal })
  const name = reference.name ?? ''
  return { resource, key: resource.namespaced ? { name, namespace: reference.namespace || fallbackNamespace } : { name } }
}
