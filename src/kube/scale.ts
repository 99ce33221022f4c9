import { backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import { kinds, type Pod } from './kinds.ts'
import type { Kube } from './kube.ts'
import { type KubeObject, type Live, describeObject, type Unstructured } from './objects.ts'
import { isReady, isTerminal, pendingReason } from './pod-state.ts'
import type { ResourceApi } from './resource-api.ts'
import { createResourceApi, updateBackoff, updateTries } from './resources.ts'
import { parseWorkload, selectorOf, type Workload, workloadOf } from './workload-objects.ts'
import type { ScaleOptions, WorkloadRef, Workloads } from './workloads.ts'

const reachMs = 900_000

interface Scale extends KubeObject {
  readonly spec?: { readonly replicas?: number }
}

export function createScale(client: KubeClient, informer: Kube['informer'], clock: Clock): Workloads['scale'] {
  return async (ref, replicas, options = {}) => {
    const { kind, def } = parseWorkload(ref)
    const { signal, waitForReady = true } = options
    const api = createResourceApi<Unstructured>(client, def)
    const previous = await setReplicas(api as unknown as ResourceApi<Scale>, ref, replicas, { ...options, clock })
    if (waitForReady) {
      const workload = workloadOf(kind, await api.get({ namespace: ref.namespace, name: ref.name }, { signal }))
      await waitReached(informer, workload, def, replicas, options)
    }
    return { previous }
  }
}

/** The scale subresource looks the same for all kinds; it is read and put back with its version. */
async function setReplicas(
  api: ResourceApi<Scale>,
  ref: WorkloadRef,
  replicas: number,
  options: ScaleOptions & { readonly clock: Clock },
): Promise<number> {
  const { signal, beforeChange, clock } = options
  const key = { namespace: ref.namespace, name: ref.name }
  let previous: number | undefined
  for (let tries = 1; ; tries++) {
    const scale = await api.get(key, { signal, subresource: 'scale' })
    if (previous === undefined) {
      previous = scale.spec?.replicas ?? 0
      await beforeChange?.(previous)
      signal?.throwIfAborted()
    }
    if ((scale.spec?.replicas ?? 0) === replicas) return previous
    try {
      await api.replace({ ...scale, spec: { ...scale.spec, replicas } }, { signal, subresource: 'scale' })
      return previous
    } catch (error) {
      if (!kubeError.is(error, 'KUBE_CONFLICT') || tries >= updateTries) throw error
      await clock.sleep(backoffMs(tries, updateBackoff), signal)
    }
  }
}

async function waitReached(
  informer: Kube['informer'],
  workload: Workload,
  def: Parameters<Kube['informer']>[0],
  replicas: number,
  options: ScaleOptions,
): Promise<void> {
  const { signal: outer, timeoutMs = reachMs } = options
  const { namespace, name, generation = 0 } = workload.object.metadata
  const own = new AbortController()
  const signal = outer ? AbortSignal.any([outer, own.signal]) : own.signal
  const reached = Promise.withResolvers<void>()
  const onAbort = (): void => reached.reject(outer?.reason)
  outer?.addEventListener('abort', onAbort, { once: true })
  if (outer?.aborted) onAbort()
  const onError = (error: unknown): void => {
    if (kubeError.is(error, 'KUBE_FORBIDDEN', 'KUBE_UNAUTHORIZED')) reached.reject(error)
  }
  const objects = informer(def, { namespace, fieldSelector: `metadata.name=${name}`, signal, onError })
  const pods = informer<Pod>(kinds.pods, { namespace, labelSelector: selectorOf(workload), signal, onError })
  const mine = (): readonly Live<Pod>[] => pods.list().filter((pod) => isPodOf(workload, pod) && !isTerminal(pod))
  const look = (): void => {
    if (!objects.hasSynced || !pods.hasSynced) return
    const current = objects.get(namespace, name)
    if (!current)
      return reached.reject(kubeError('KUBE_NOT_FOUND', `${describeObject(def, name)} was deleted while it was scaled`))
    const now = workloadOf(workload.kind, current as Live<Unstructured>)
    if (isReached(now, generation, replicas) && mine().length === replicas && mine().every(isReady)) reached.resolve()
  }
  const late = (): void => reached.reject(timeout(describeObject(def, name), replicas, timeoutMs, mine()))
  const timer = setTimeout(late, timeoutMs)
  try {
    objects.onChange(look)
    pods.onChange(look)
    void Promise.all([objects.synced, pods.synced]).then(look, () => undefined)
    await reached.promise
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', onAbort)
    own.abort(new Error('the wait is over'))
  }
}

function isReached({ kind, object, status, spec }: Workload, generation: number, replicas: number): boolean {
  // Someone else's later change of the count (an autoscaler) is not waited for to our number for ever: see the timeout.
  if ((spec.replicas ?? 1) !== replicas) return false
  const observed = status.observedGeneration ?? 0
  if (observed < generation || observed < (object.metadata.generation ?? 0)) return false
  const { replicas: all = 0, readyReplicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status
  if (kind === 'statefulset') return all === replicas && readyReplicas === replicas
  return all === replicas && updatedReplicas === replicas && availableReplicas === replicas
}

/** Of a Deployment's pods the owner is a ReplicaSet (a DeploymentConfig's: a ReplicationController) named after it. */
function isPodOf({ kind, object }: Workload, pod: Live<Pod>): boolean {
  const { uid, name } = object.metadata
  return (pod.metadata.ownerReferences ?? []).some((owner) =>
    kind === 'statefulset' ? owner.uid === uid : owner.name.startsWith(`${name}-`),
  )
}

function timeout(what: string, replicas: number, timeoutMs: number, pods: readonly Live<Pod>[]): Error {
  const unready = pods.filter((pod) => !isReady(pod)).slice(0, 3)
  const why = unready
    .map((pod) => `${pod.metadata.name}: ${pod.metadata.deletionTimestamp ? 'is still ending' : pendingReason(pod)}`)
    .join('; ')
  const text = `${what} did not reach ${replicas} replicas within ${timeoutMs / 1000} s: it has ${pods.length} pods${why && `, not ready: ${why}`}`
  return kubeError('KUBE_SCALE_TIMEOUT', text)
}
