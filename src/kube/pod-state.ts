import type { HoldfastError } from '../base/errors.ts'
import { kubeError } from './errors.ts'
import type { Pod } from './kinds.ts'
import type { Live } from './objects.ts'

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

/** Waiting reasons that do not heal by waiting. */
const stuckReasons = new Set([
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'CrashLoopBackOff',
])

/** Why a pod that did not start never will, or undefined. */
export function stuckReason(pod: Live<Pod>): HoldfastError | undefined {
  const { status } = pod
  if (pod.metadata.deletionTimestamp) return podError('KUBE_POD_GONE', pod, 'is being deleted')
  if (status?.phase === 'Failed' && !status.containerStatuses?.length) {
    return podError(
      'KUBE_POD_STUCK',
      pod,
      `was refused by its node: ${[status.reason, status.message].filter(Boolean).join(': ')}`,
    )
  }
  for (const container of allStatuses(pod)) {
    const waiting = container.state?.waiting
    if (!waiting?.reason || !isStuck(waiting.reason, waiting.message ?? '')) continue
    const text = `container "${container.name}" (image ${container.image}) cannot start: ${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''}`
    return podError('KUBE_POD_STUCK', pod, text)
  }
  return undefined
}

/** A first failed pull may be a hiccup of the registry, unless it says that there is no such image or no right to it. */
function isStuck(reason: string, message: string): boolean {
  if (reason === 'ErrImagePull') return /not found|denied|unauthorized|no such|does not exist|manifest unknown/i.test(message)
  if (reason === 'CreateContainerError') return !/deadline exceeded|name .* is reserved/i.test(message)
  return stuckReasons.has(reason)
}

/** What a pod that has not started waits for, in the words of the scheduler or the kubelet. */
export function pendingReason(pod: Live<Pod> | undefined): string {
  if (!pod) return 'it does not exist'
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === 'PodScheduled')
  if (scheduled?.status === 'False') return `${scheduled.reason ?? 'not scheduled'}: ${scheduled.message ?? 'no reason given'}`
  const waiting = allStatuses(pod).find((container) => container.state?.waiting ?? container.started === false)
  if (waiting) {
    const { reason = 'starting', message } = waiting.state?.waiting ?? {}
    return `container "${waiting.name}": ${reason}${message ? `: ${message}` : ''}`
  }
  const unready = pod.status?.conditions?.find((condition) => condition.type === 'Ready' && condition.status !== 'True')
  return unready?.message ?? `phase ${pod.status?.phase ?? 'unknown'}`
}

/** Running, or already ended. Init containers run while the phase is Pending. */
export function hasStarted(pod: Live<Pod>): boolean {
  const phase = pod.status?.phase
  return phase === 'Running' || phase === 'Succeeded' || phase === 'Failed'
}

export function isTerminal(pod: Live<Pod>): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

export function isReady(pod: Live<Pod>): boolean {
  return pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false
}

/** The failure of a pod that ended badly: which container, with what. */
export function failureOfPod(pod: Live<Pod>): HoldfastError {
  const failed = allStatuses(pod).find((container) => (container.state?.terminated?.exitCode ?? 0) !== 0)
  if (failed) return containerFailure(pod, failed)
  const { reason, message } = pod.status ?? {}
  return podError('KUBE_POD_FAILED', pod, `failed: ${[reason, message].filter(Boolean).join(': ') || 'no reason given'}`)
}

export function containerFailure(pod: Live<Pod>, container: ContainerStatus): HoldfastError {
  const { exitCode = -1, reason, message } = container.state?.terminated ?? {}
  const more = [reason !== 'Error' ? reason : undefined, message, pod.status?.message].filter(Boolean).join(': ')
  const text = `container "${container.name}" terminated with exit code ${exitCode}${more ? ` (${more})` : ''}`
  return podError('KUBE_POD_FAILED', pod, text, exitCode)
}

export function statusOf(pod: Live<Pod>, container: string): ContainerStatus | undefined {
  return allStatuses(pod).find((each) => each.name === container)
}

/** A runtime's words when whoever asked for a container (a kubelet that dies) was gone before it was made. Its process was not begun then. */
const givenUp = /failed to create containerd task: .*(context canceled|context deadline exceeded|ttrpc: closed)/i

/** True if a pod failed and nothing of it ever ran, through the fault of its node and not of what it says itself. */
export function neverBegan(pod: Live<Pod>): boolean {
  const all = allStatuses(pod)
  return pod.status?.phase === 'Failed' && all.some(isGivenUp) && all.every((each) => isGivenUp(each) || hasNotRun(each))
}

function isGivenUp({ state, restartCount }: ContainerStatus): boolean {
  const { reason, message = '' } = state?.terminated ?? {}
  return reason === 'StartError' && givenUp.test(message) && restartCount === 0
}

function hasNotRun({ state, lastState, restartCount }: ContainerStatus): boolean {
  return state?.waiting !== undefined && lastState?.terminated === undefined && restartCount === 0
}

function allStatuses(pod: Live<Pod>): readonly ContainerStatus[] {
  return [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
}

function podError(
  code: 'KUBE_POD_GONE' | 'KUBE_POD_STUCK' | 'KUBE_POD_FAILED',
  pod: Live<Pod>,
  text: string,
  exitCode?: number,
): HoldfastError {
  const details = exitCode === undefined ? {} : { details: { exitCode } }
  return kubeError(code, `pod "${pod.metadata.namespace}/${pod.metadata.name}": ${text}`, details)
}
