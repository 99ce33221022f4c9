import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import { kinds, type Pod } from './kinds.ts'
import type { Kube } from './kube.ts'
import { type Live, pathOf } from './objects.ts'
import { logLines } from './pod-logs.ts'
import {
  containerFailure,
  failureOfPod,
  hasStarted,
  isReady,
  isTerminal,
  pendingReason,
  statusOf,
  stuckReason,
} from './pod-state.ts'
import type { PodRef, Pods, PodWaitOptions } from './pods.ts'
import { createResourceApi } from './resources.ts'

const readyMs = 900_000
/** How often the volumes of a pod that does not start are looked at; no event of the pod tells about them. */
const volumeCheckMs = 10_000
const removeMs = 120_000

export function createPods(client: KubeClient, waitFor: Kube['waitFor'], clock: Clock): Pods {
  const api = createResourceApi(client, kinds.pods)
  const claims = createResourceApi(client, kinds.persistentVolumeClaims)

  const waitUntil = async (
    ref: PodRef,
    done: (pod: Live<Pod>) => boolean,
    options: PodWaitOptions,
    what: string,
  ): Promise<Live<Pod>> => {
    let last: Live<Pod> | undefined
    const timeoutMs = options.timeoutMs ?? readyMs
    const look = (pod: Live<Pod> | undefined): Live<Pod> | undefined => {
      if (!pod) {
        // The first list of a watch can be older than a create that was just answered only from a cache; ours is not.
        throw kubeError('KUBE_POD_GONE', `pod "${ref.namespace}/${ref.name}" ${last ? 'was deleted' : 'does not exist'}`)
      }
      last = pod
      options.onChange?.(pod)
      return done(pod) ? pod : undefined
    }
    try {
      return await waitFor(kinds.pods, ref, look, { signal: options.signal, timeoutMs, what })
    } catch (error) {
      if (!kubeError.is(error, 'KUBE_TIMEOUT')) throw error
      const text = `Pod did not transition into running state. Timeout:${goDuration(timeoutMs)}  Namespace:${ref.namespace}, Name:${ref.name}: ${pendingReason(last)}`
      throw kubeError('KUBE_POD_NOT_READY', text, { cause: error })
    }
  }

  const startedBy = (pod: Live<Pod>): boolean => {
    const stuck = stuckReason(pod)
    if (stuck) throw stuck
    return hasStarted(pod)
  }

  return {
    waitStarted: async (ref, options = {}) =>
      await besideVolumeCheck(
        ref,
        options,
        async (signal) => await waitUntil(ref, startedBy, { ...options, signal }, 'to start'),
      ),
    waitReady: async (ref, options = {}) => {
      const done = (pod: Live<Pod>): boolean => {
        if (isTerminal(pod) && pod.status?.containerStatuses?.length) throw failureOfPod(pod)
        return startedBy(pod) && isReady(pod)
      }
      return await besideVolumeCheck(
        ref,
        options,
        async (signal) => await waitUntil(ref, done, { ...options, signal }, 'to be ready'),
      )
    },
    waitCompleted: async (ref, options = {}) => {
      const { container, timeoutMs = Infinity } = options
      return await waitUntil(ref, (pod) => isCompleted(pod, container), { ...options, timeoutMs }, 'to complete')
    },
    logLines: (ref, options = {}) => logLines(client, waitFor, clock, ref, options),
    async tailLog({ namespace, name }, { container, lines = 10, signal } = {}) {
      const path = pathOf(kinds.pods, { namespace, name, subresource: 'log' })
      const query = { container, tailLines: lines, limitBytes: 64 << 10 }
      try {
        return await withDeadline(`log of ${name}`, 10_000, signal, async (bounded) => {
          const body = await client.stream({ method: 'GET', path, query }, { signal: bounded })
          let text = ''
          for await (const chunk of body) text += String(chunk)
          return text.trimEnd()
        })
      } catch {
        return '' // only decoration of an error that is thrown anyway
      }
    },
    async remove(ref, { uid, gracePeriodSeconds, timeoutMs = Math.max(removeMs, client.budgetMs), signal } = {}) {
      const key = { namespace: ref.namespace, name: ref.name }
      try {
        await api.delete(key, {
          ...(uid && { uid }),
          ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
          signal,
          timeoutMs,
        })
      } catch (error) {
        // A conflict on the uid: the pod of that uid is gone, the name is someone else's.
        if (uid && kubeError.is(error, 'KUBE_CONFLICT')) return
        throw error
      }
      const gone = (pod: Live<Pod> | undefined): true | undefined =>
        !pod || (uid && pod.metadata.uid !== uid) ? true : undefined
      await waitFor(kinds.pods, key, gone, { signal, timeoutMs, what: 'to be gone' })
    },
  }

  /** A claim that is lost does not show in the pod, which would wait for ever. */
  async function besideVolumeCheck<R>(
    ref: PodRef,
    options: PodWaitOptions,
    wait: (signal: AbortSignal) => Promise<R>,
  ): Promise<R> {
    const own = new AbortController()
    const signal = options.signal ? AbortSignal.any([options.signal, own.signal]) : own.signal
    const lost = (async (): Promise<never> => {
      for (;;) {
        await clock.sleep(volumeCheckMs, signal)
        await checkVolumes(ref, signal)
      }
    })()
    try {
      return await Promise.race([wait(signal), lost])
    } finally {
      own.abort(new Error('the wait is over'))
      lost.catch(() => undefined) // it ends by its signal
    }
  }

  async function checkVolumes(ref: PodRef, signal: AbortSignal): Promise<void> {
    const pod = await api.find(ref, { signal })
    for (const volume of pod?.spec?.volumes ?? []) {
      const name = volume.persistentVolumeClaim?.claimName
      if (!name) continue
      const claim = await claims.find({ namespace: ref.namespace, name }, { signal }).catch((error: unknown) => {
        if (kubeError.is(error, 'KUBE_FORBIDDEN')) return undefined
        throw error
      })
      if (claim?.status?.phase !== 'Lost') continue
      throw kubeError(
        'KUBE_POD_STUCK',
        `pod "${ref.namespace}/${ref.name}": its volume claim "${name}" is Lost: the volume behind it is gone`,
      )
    }
  }
}

/** `15m0s`, as Kanister's users know this message. */
function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000)
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${seconds % 60}s`
}

function isCompleted(pod: Live<Pod>, container: string | undefined): boolean {
  const ended = container === undefined ? undefined : statusOf(pod, container)
  if (ended?.state?.terminated && pod.spec?.restartPolicy !== 'Always') {
    if (ended.state.terminated.exitCode === 0) return true
    throw containerFailure(pod, ended)
  }
  if (pod.status?.phase === 'Succeeded') return true
  const stuck = stuckReason(pod)
  if (pod.status?.phase === 'Failed') throw stuck?.code === 'KUBE_POD_STUCK' ? stuck : failureOfPod(pod)
  if (stuck) throw stuck
  return false
}
