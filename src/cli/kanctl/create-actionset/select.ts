import type { ObjectReference } from '../../../api/object-reference.ts'
import { kinds } from '../../../kube/kinds.ts'
import { kubeError } from '../../../kube/errors.ts'
import type { Kube } from '../../../kube/kube.ts'
import type { KubeObject, ResourceDef } from '../../../kube/objects.ts'
import { cliError } from '../../errors.ts'

const selectable: Readonly<Record<string, ResourceDef<KubeObject>>> = {
  deployment: kinds.deployments,
  deploymentconfig: kinds.deploymentConfigs,
  statefulset: kinds.statefulSets,
  pvc: kinds.persistentVolumeClaims,
  namespace: kinds.namespaces,
}

/** What `all` stands for. */
const workloadKinds = ['deployment', 'deploymentconfig', 'statefulset']

/**
 * The objects that carry the labels. With `all`, a kind that the cluster does not serve (DeploymentConfig outside of OpenShift) is
 * passed over; kanctl fails there.
 */
export async function selectObjects(
  kube: Kube,
  selector: { readonly labels: string; readonly kind: string; readonly namespace: string },
  signal: AbortSignal,
): Promise<ObjectReference[]> {
  const wanted = selector.kind === 'all' ? workloadKinds : [selector.kind]
  const found: ObjectReference[] = []
  for (const kind of wanted) {
    const def = selectable[kind]
    if (!def) throw cliError('CLI_USAGE', `--kind ${kind} is not one of all, ${Object.keys(selectable).join(', ')}`)
    found.push(...(await list(kube, def, kind, selector, { tolerateAbsent: selector.kind === 'all', signal })))
  }
  return found
}

async function list(
  kube: Kube,
  def: ResourceDef<KubeObject>,
  kind: string,
  selector: { readonly labels: string; readonly namespace: string },
  options: { readonly tolerateAbsent: boolean; readonly signal: AbortSignal },
): Promise<ObjectReference[]> {
  try {
    const { items } = await kube.resource(def).list({
      labelSelector: selector.labels,
      signal: options.signal,
      ...(kind !== 'namespace' && selector.namespace !== '' ? { namespace: selector.namespace } : {}),
    })
    return items.map(({ metadata: { name, namespace } }) => ({
      apiVersion: '',
      group: '',
      resource: '',
      kind,
      name,
      namespace: kind === 'namespace' ? name : (namespace ?? ''),
    }))
  } catch (error) {
    if (options.tolerateAbsent && kubeError.is(error, 'KUBE_NOT_FOUND')) return []
    throw error
  }
}
