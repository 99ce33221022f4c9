import { describe, expect, it } from 'vitest'
import type { Pod } from '../../../src/kube/kinds.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { failureOfPod, neverBegan, pendingReason, stuckReason } from '../../../src/kube/pod-state.ts'

function aPod(status: object, metadata: object = {}): Live<Pod> {
  return { metadata: { namespace: 'n', name: 'p', ...metadata }, spec: { containers: [] }, status } as unknown as Live<Pod>
}

function waiting(reason: string, message?: string): object {
  return { phase: 'Pending', containerStatuses: [{ name: 'c', image: 'i', state: { waiting: { reason, message } } }] }
}

describe('a pod', () => {
  it.each([
    ['ImagePullBackOff', 'Back-off pulling image'],
    ['InvalidImageName', 'couldn’t parse'],
    ['ErrImagePull', 'manifest unknown'],
    ['ErrImagePull', 'pull access denied'],
    ['CreateContainerConfigError', 'secret "s" not found'],
    ['CrashLoopBackOff', 'back-off 10s'],
  ])('that waits with %s (%s) is stuck, and the message says both', (reason, message) => {
    expect(stuckReason(aPod(waiting(reason, message)))).toMatchObject({
      code: 'KUBE_POD_STUCK',
      message: `pod "n/p": container "c" (image i) cannot start: ${reason}: ${message}`,
    })
  })

  it.each([
    ['ContainerCreating', undefined],
    ['PodInitializing', undefined],
    ['ErrImagePull', 'dial tcp: i/o timeout'],
    ['CreateContainerError', 'context deadline exceeded'],
  ])('that waits with %s (%s) may still start', (reason, message) => {
    expect(stuckReason(aPod(waiting(reason, message)))).toBeUndefined()
  })

  it('that its node refused is stuck, one that is being deleted is gone', () => {
    expect(stuckReason(aPod({ phase: 'Failed', reason: 'OutOfcpu', message: 'Node did not have enough' }))).toMatchObject({
      code: 'KUBE_POD_STUCK',
      message: 'pod "n/p": was refused by its node: OutOfcpu: Node did not have enough',
    })
    expect(stuckReason(aPod({}, { deletionTimestamp: 'now' }))?.code).toBe('KUBE_POD_GONE')
  })

  it('that waits says for what', () => {
    const unschedulable = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' }

    expect(pendingReason(undefined)).toBe('it does not exist')
    expect(pendingReason(aPod({ conditions: [unschedulable] }))).toBe('Unschedulable: 0/1 nodes are available')
    expect(pendingReason(aPod(waiting('ContainerCreating')))).toBe('container "c": ContainerCreating')
  })

  it('that failed names the container, its exit code and what killed it', () => {
    const terminated = { exitCode: 137, reason: 'OOMKilled' }

    expect(failureOfPod(aPod({ phase: 'Failed', containerStatuses: [{ name: 'c', state: { terminated } }] }))).toMatchObject({
      message: 'pod "n/p": container "c" terminated with exit code 137 (OOMKilled)',
      details: { exitCode: 137 },
    })
    expect(failureOfPod(aPod({ phase: 'Failed', reason: 'Evicted', message: 'disk pressure' }))).toMatchObject({
      message: 'pod "n/p": failed: Evicted: disk pressure',
    })
  })
})

describe('a pod of which nothing ever ran', () => {
  const givenUp = {
    name: 'c',
    restartCount: 0,
    state: {
      terminated: {
        exitCode: 128,
        reason: 'StartError',
        message: 'failed to create containerd task: failed to create shim task: context canceled: unknown',
      },
    },
  }
  const notYet = { name: 'd', restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } }

  it('is one whose node gave up its first container while making it', () => {
    expect(neverBegan(aPod({ phase: 'Failed', containerStatuses: [givenUp] }))).toBe(true)
    expect(neverBegan(aPod({ phase: 'Failed', containerStatuses: [givenUp, notYet] }))).toBe(true)
  })

  it('is none with a container that ran, or whose command its image lacks', () => {
    const ran = { name: 'i', restartCount: 0, state: { terminated: { exitCode: 0, reason: 'Completed' } } }
    const message =
      'failed to create containerd task: OCI runtime create failed: exec: "nope": executable file not found in $PATH'
    const wrong = { ...givenUp, state: { terminated: { ...givenUp.state.terminated, message } } }

    expect(neverBegan(aPod({ phase: 'Failed', initContainerStatuses: [ran], containerStatuses: [givenUp] }))).toBe(false)
    expect(neverBegan(aPod({ phase: 'Failed', containerStatuses: [wrong] }))).toBe(false)
    expect(neverBegan(aPod({ phase: 'Failed', containerStatuses: [{ ...givenUp, restartCount: 1 }] }))).toBe(false)
    expect(neverBegan(aPod({ phase: 'Running', containerStatuses: [givenUp] }))).toBe(false)
    expect(neverBegan(aPod({ phase: 'Failed', reason: 'Evicted' }))).toBe(false)
  })
})
