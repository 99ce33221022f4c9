import type { KubeClient } from '../client.ts'
import { kubeError } from '../errors.ts'
import { kinds } from '../kinds.ts'
import { createResourceApi } from '../resources.ts'
import type { ExecTarget } from './exec.ts'

const defaultContainer = 'kubectl.kubernetes.io/default-container'

/** Names the container as kubectl does: the annotation, else the first of the pod. Asks the server only when none is given. */
export async function withContainer(
  client: KubeClient,
  target: ExecTarget,
  signal: AbortSignal | undefined,
): Promise<ExecTarget & { readonly container: string }> {
  if (target.container) return { ...target, container: target.container }
  const pod = await createResourceApi(client, kinds.pods).get({ namespace: target.namespace, name: target.pod }, { signal })
  const container = pod.metadata.annotations?.[defaultContainer] ?? pod.spec?.containers[0]?.name
  if (!container) throw kubeError('KUBE_EXEC_REFUSED', `pod "${target.namespace}/${target.pod}" has no container`)
  return { ...target, container }
}
