import { kubeError } from '../../kube/errors.ts'
import type { KubeObject, Live } from '../../kube/objects.ts'
import type { ResourceApi } from '../../kube/resource-api.ts'

/**
 * Applies JSON Patch operations if the object is still the one that was decided on, by its resourceVersion. False when it changed or is gone
 * meanwhile: it is to be looked at again. Throws what the server refuses of the operations themselves.
 */
export async function patchUnchanged<T extends KubeObject>(
  resource: Pick<ResourceApi<T>, 'find' | 'patch'>,
  { metadata: { namespace, name, resourceVersion } }: Live<T>,
  operations: readonly object[],
  signal: AbortSignal,
): Promise<boolean> {
  const test = { op: 'test', path: '/metadata/resourceVersion', value: resourceVersion }
  try {
    await resource.patch({ namespace, name }, [test, ...operations], { type: 'json', signal })
    return true
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_INVALID', 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error
    const now = await resource.find({ namespace, name }, { signal })
    // It has not changed: the server refuses these very operations.
    if (now?.metadata.resourceVersion === resourceVersion) throw error
    return false
  }
}
