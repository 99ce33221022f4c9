import { describe, expect, test } from 'vitest'
import { runError } from '../../../src/engine/errors.ts'
import type { FunctionContext } from '../../../src/functions/context.ts'
import { names } from '../../../src/api/names.ts'
import { ownerAnnotation } from '../../../src/functions/job-pod.ts'
import { type CommandJob, withJobPod } from '../../../src/functions/run-job-pod.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds, type Pod } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { Live } from '../../../src/kube/objects.ts'
import type { PodRef } from '../../../src/kube/pods.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aFunctionContext, type ContextParts, type RecordedContext } from '../../build/function-context.ts'

const job: CommandJob = { prefix: 'job-', namespace: 'app', adopt: true, image: 'busybox', command: ['true'], args: {} }

function recorded(api: FakeApi, parts: Partial<ContextParts> = {}): RecordedContext {
  const pods = {
    waitStarted: async ({ namespace, name }: PodRef) => api.read(kinds.pods, namespace, name),
    remove: async ({ namespace, name }: PodRef) => api.remove(kinds.pods, namespace, name),
  }
  return aFunctionContext({ kube: { ...api.kube(), pods } as unknown as Kube, ...parts })
}

function world(api: FakeApi): FunctionContext {
  return recorded(api).ctx
}

function podNames(api: FakeApi): string[] {
  return api.all(kinds.pods).map(({ metadata }) => metadata.name)
}

test('a pod of whose create the answer was lost is met again, and there is one', async () => {
  const api = new FakeApi()
  const ctx = world(api)
  api.after = ({ verb, resource }) => {
    if (verb !== 'create' || resource !== 'pods') return
    throw kubeError('KUBE_ALREADY_EXISTS', 'pods already exists', { details: { mayBeOurs: true } })
  }

  const seen = await withJobPod(ctx, job, async (pod) => ({ pod, there: podNames(api) }))

  expect(seen.there).toEqual([seen.pod.name])
  expect(podNames(api)).toEqual([])
})

test('a try that is not the first finds the pods of those before it gone before it makes its own', async () => {
  const api = new FakeApi()
  const ctx = world(api)
  const first = await withJobPod({ ...ctx, deriveName: () => 'job-1' }, job, async () => api.all(kinds.pods)[0])
  if (!first) throw new Error('there was no pod')
  api.put(kinds.pods, first)
  api.put(kinds.pods, { metadata: { name: 'job-0', namespace: 'app' } })
  const atCreate: string[][] = []
  api.before = ({ verb }) => void (verb === 'create' && atCreate.push(podNames(api)))
  const second = { ...ctx, deriveName: () => 'job-2', earlierNames: () => ['job-0', 'job-1'] }

  await withJobPod(second, job, async () => undefined)

  // The namesake of somebody else stays.
  expect(atCreate).toEqual([['job-0']])
  expect(podNames(api)).toEqual(['job-0'])
})

const fenced = runError('RUN_FENCED', 'the action was given to worker w-1')

describe('a worker that slept while its successor did the work', () => {
  test('makes no pod again', async () => {
    const api = new FakeApi()
    const ctx = { ...world(api), confirm: async () => await Promise.reject(fenced) }

    await expect(withJobPod(ctx, job, async () => undefined)).rejects.toBe(fenced)

    expect(api.requests.filter(({ verb, resource }) => verb === 'create' && resource === 'pods')).toEqual([])
  })

  test.each([true, false])('leaves to it the pod that it made under the same name (adopt: %s)', async (adopt) => {
    const api = new FakeApi()
    const ctx = { ...world(api), confirm: lostInTheEnd }
    const annotations = { [names.owner]: ownerAnnotation({ ...ctx.run, attempt: ctx.run.attempt + 1 }) }
    const work = async ({ name, namespace }: PodRef): Promise<never> => {
      api.put(kinds.pods, { metadata: { name, namespace, annotations } } as Pod)
      throw fenced
    }

    await expect(withJobPod(ctx, { ...job, adopt }, work)).rejects.toBe(fenced)

    expect(podNames(api)).toHaveLength(1)
  })

  test('takes its own away where nobody can adopt it', async () => {
    const api = new FakeApi()
    const ctx = { ...world(api), confirm: lostInTheEnd }

    await expect(withJobPod(ctx, { ...job, adopt: false }, () => Promise.reject(fenced))).rejects.toBe(fenced)

    expect(podNames(api)).toEqual([])
  })
})

/** It learns that it lost the phase when it asks anew, at the cleaning up. */
async function lostInTheEnd(anew?: object): Promise<void> {
  if (anew) throw fenced
}

test('who took a phase over removes its pod only when whoever had it before can make none any more', async () => {
  const api = new FakeApi()
  const pod = { step: 'creating', namespace: 'app', name: 'job-1' }
  const { ctx } = recorded(api, { resumed: pod })
  const there: number[] = []
  const untilAlone = async (): Promise<void> => void there.push(api.all(kinds.pods).length)

  await withJobPod({ ...ctx, untilAlone }, job, async () => undefined)

  expect(there).toEqual([1])
  expect(podNames(api)).toEqual([])
})

describe('a pod that its node gave up before anything of it ran', () => {
  const message = 'failed to create containerd task: failed to create shim task: context canceled: unknown'
  const terminated = { exitCode: 128, reason: 'StartError', message }
  const status = { phase: 'Failed', containerStatuses: [{ name: 'container', restartCount: 0, state: { terminated } }] }

  /** The first so many pods that are made end so. */
  function fail(api: FakeApi, count: number): string[] {
    const made: string[] = []
    api.after = ({ verb, resource, name }) => {
      if (verb !== 'create' || resource !== 'pods') return
      const pod = api.read(kinds.pods, 'app', name) as Live<Pod>
      made.push(pod.metadata.uid)
      if (made.length <= count) api.put(kinds.pods, { ...pod, status } as Pod)
    }
    return made
  }

  test('is made once more, and said', async () => {
    const api = new FakeApi()
    const made = fail(api, 1)
    const { ctx, warnings, checkpoints } = recorded(api)

    const used = await withJobPod(ctx, job, async (pod) => pod)

    expect(made).toHaveLength(2)
    expect(used.uid).toBe(made[1])
    expect(warnings.join()).toContain('it is made once more')
    expect(checkpoints).toMatchObject([
      { step: 'creating' },
      { step: 'created', uid: made[0] },
      { step: 'creating', stillborn: made[0] },
      { step: 'created', stillborn: made[0], uid: made[1] },
    ])
  })

  test('is not made a third time, neither by this attempt nor by the next', async () => {
    const api = new FakeApi()
    const made = fail(api, 9)
    const { ctx, checkpoints } = recorded(api)

    const seen = await withJobPod(ctx, job, async (pod) => ({ pod, there: api.all(kinds.pods)[0] as Live<Pod> }))

    expect(seen.pod.uid).toBe(made[1])
    api.put(kinds.pods, seen.there)
    await withJobPod(recorded(api, { resumed: checkpoints.at(-1) }).ctx, job, async () => undefined)
    expect(made).toHaveLength(2)
  })

  test('is removed by whoever takes over before the second one was made', async () => {
    const api = new FakeApi()
    const made = fail(api, 1)
    const { ctx, checkpoints } = recorded(api)
    let dead: Live<Pod> | undefined
    const dying = {
      ...ctx,
      checkpoint: async (state: unknown) => {
        await ctx.checkpoint(state)
        if (checkpoints.length < 3) return
        dead = api.all(kinds.pods)[0]
        throw fenced
      },
    }
    await expect(withJobPod(dying, job, async () => undefined)).rejects.toBe(fenced)
    api.put(kinds.pods, dead as Live<Pod>)

    const used = await withJobPod(recorded(api, { resumed: checkpoints.at(-1) }).ctx, job, async (pod) => pod)

    expect(made).toHaveLength(2)
    expect(used.uid).toBe(made[1])
  })
})
