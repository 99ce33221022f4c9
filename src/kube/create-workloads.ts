import { type Clock, systemClock } from '../base/clock.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import { kinds, type Pod, type ReplicaSet, type ReplicationController } from './kinds.ts'
import type { Kube } from './kube.ts'
import type { KubeObject, Live, Unstructured } from './objects.ts'
import { createResourceApi } from './resources.ts'
import { ownedBy, parseWorkload, selectorOf, type Workload, workloadOf } from './workload-objects.ts'
import { createScale } from './scale.ts'
import type { WorkloadFacts, WorkloadRef, Workloads } from './workloads.ts'

interface Call {
  readonly signal?: AbortSignal | undefined
}

export function createWorkloads(client: KubeClient, informer: Kube['informer'], clock: Clock = systemClock): Workloads {
  const pods = createResourceApi(client, kinds.pods)

  const load = async (ref: WorkloadRef, call: Call): Promise<Workload> => {
    const { kind, def } = parseWorkload(ref)
    const object = await createResourceApi<Unstructured>(client, def).get({ namespace: ref.namespace, name: ref.name }, call)
    return workloadOf(kind, object)
  }

  /** The pods of the workload's current revision, in the order of the API (by name). */
  const currentPods = async (workload: Workload, call: Call): Promise<readonly Live<Pod>[]> => {
    const ownerUid = await podOwner(client, workload, call)
    const { namespace } = workload.object.metadata
    const list = await pods.list({ namespace, labelSelector: selectorOf(workload), ...call })
    return list.items.filter((pod) => ownedBy(pod, ownerUid))
  }

  return {
    async describe(ref, call = {}) {
      const workload = await load(ref, call)
      const running = (await currentPods(workload, call)).filter((pod) => pod.status?.phase === 'Running')
      return factsOf(workload, ref, running)
    },
    podsOf: async (ref, call = {}) => await currentPods(await load(ref, call), call),
    scale: createScale(client, informer, clock),
  }
}

function factsOf(workload: Workload, ref: WorkloadRef, running: readonly Live<Pod>[]): WorkloadFacts {
  const claims = running.map((pod) => [pod.metadata.name, mountedClaims(pod)] as const)
  return {
    kind: workload.kind,
    namespace: ref.namespace,
    name: ref.name,
    object: workload.object,
    pods: running.map((pod) => pod.metadata.name),
    containers: running.map((pod) => (pod.status?.containerStatuses ?? []).map((container) => container.name)),
    persistentVolumeClaims: Object.fromEntries(claims.filter(([, mounts]) => Object.keys(mounts).length > 0)),
  }
}

/**
 * Claim name -> mount path, read off the pod itself: there the claims of a StatefulSet's templates and plain ones
 * stand with their real names. Of several mounts of a claim the last one seen counts; init containers do not.
 */
export function mountedClaims(pod: Live<Pod>): Readonly<Record<string, string>> {
  const claims = new Map<string, string>()
  for (const volume of pod.spec?.volumes ?? []) {
    if (volume.persistentVolumeClaim) claims.set(volume.name, volume.persistentVolumeClaim.claimName)
  }
  const mounts: Record<string, string> = {}
  for (const container of pod.spec?.containers ?? []) {
    for (const mount of container.volumeMounts ?? []) {
      const claim = claims.get(mount.name)
      if (claim !== undefined) mounts[claim] = mount.mountPath
    }
  }
  return mounts
}

const revisionAnnotation = 'deployment.kubernetes.io/revision'
const versionAnnotation = 'openshift.io/deployment-config.latest-version'

/** The uid of what owns the pods: the workload itself, or its ReplicaSet or ReplicationController of the current revision. */
async function podOwner(client: KubeClient, workload: Workload, call: Call): Promise<string> {
  const { kind, object } = workload
  const { namespace, name, uid, annotations } = object.metadata
  if (kind === 'statefulset') return uid
  if (kind === 'deployment') {
    const sets = await createResourceApi<ReplicaSet>(client, kinds.replicaSets).list({
      namespace,
      labelSelector: selectorOf(workload),
      ...call,
    })
    const revision = annotations?.[revisionAnnotation]
    return ownerOfRevision(sets.items, uid, revisionAnnotation, revision) ?? missing('ReplicaSet', 'Deployment', name)
  }
  const controllers = await createResourceApi<ReplicationController>(client, kinds.replicationControllers).list({
    namespace,
    ...call,
  })
  const latest = String((object.status as { latestVersion?: number } | undefined)?.latestVersion ?? '')
  return (
    ownerOfRevision(controllers.items, uid, versionAnnotation, latest) ??
    missing('ReplicationController', 'DeploymentConfig', name)
  )
}

function ownerOfRevision(
  objects: readonly Live<KubeObject>[],
  owner: string,
  annotation: string,
  revision: string | undefined,
): string | undefined {
  const match = (object: Live<KubeObject>): boolean =>
    ownedBy(object, owner) && object.metadata.annotations?.[annotation] === revision
  return objects.find(match)?.metadata.uid
}

function missing(what: string, kind: string, name: string): never {
  throw kubeError(
    'KUBE_WORKLOAD',
    `Could not find a ${what} for ${kind}: not found (${kind} "${name}" has none of its current revision yet)`,
  )
}
