import { kinds, type Deployment, type Pod } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import { controllerError } from './errors.ts'

/** The published image, whatever the registry; and the names that its chart gives. */
const controllerImage = /(^|\/)(kanisterio\/controller|kanister-controller)([:@]|$)/

/** Throws CONTROLLER_NAMESPACE_TAKEN when a Kanister controller acts in the namespace. */
export async function refuseBesideKanister(
  kube: Pick<Kube, 'resource'>,
  namespace: string,
  signal: AbortSignal,
): Promise<void> {
  const found = await findKanister(kube, namespace, signal)
  if (found === undefined) return
  throw controllerError(
    'CONTROLLER_NAMESPACE_TAKEN',
    `namespace ${namespace} has a Kanister controller (${found}): both would act on its ActionSets. Scale that controller to 0 ` +
      `(kubectl -n ${namespace} scale deployment <name> --replicas=0) or take the namespace out of WATCH_NAMESPACES`,
  )
}

async function findKanister(kube: Pick<Kube, 'resource'>, namespace: string, signal: AbortSignal): Promise<string | undefined> {
  const deployments = await kube.resource<Deployment>(kinds.deployments).list({ namespace, signal, cached: true })
  const deployment = deployments.items.find(({ spec }) => (spec?.replicas ?? 1) > 0 && runsController(spec?.template.spec))
  if (deployment) return `deployment ${deployment.metadata.name}`
  const pods = await kube.resource<Pod>(kinds.pods).list({ namespace, signal, cached: true })
  const pod = pods.items.find(
    ({ spec, status }) => !['Succeeded', 'Failed'].includes(status?.phase ?? '') && runsController(spec),
  )
  return pod && `pod ${pod.metadata.name}`
}

function runsController(spec: { readonly containers?: readonly { readonly image?: string }[] } | undefined): boolean {
  return (spec?.containers ?? []).some(({ image }) => controllerImage.test(image ?? ''))
}
