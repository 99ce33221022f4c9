import { expect, test } from 'vitest'
import { type CommandJob, withJobPod } from '../../../src/functions/run-job-pod.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { PodRef } from '../../../src/kube/pods.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aFunctionContext } from '../../build/function-context.ts'

const job: CommandJob = { prefix: 'job-', namespace: 'app', adopt: true, image: 'busybox', command: ['true'], args: {} }

function world(api: FakeApi): ReturnType<typeof aFunctionContext>['ctx'] {
  const pods = {
    waitStarted: async () => undefined,
    remove: async ({ namespace, name }: PodRef) => api.remove(kinds.pods, namespace, name),
  }
  return aFunctionContext({ kube: { ...api.kube(), pods } as unknown as Kube }).ctx
}

function names(api: FakeApi): string[] {
  return api.all(kinds.pods).map(({ metadata }) => metadata.name)
}

test('a pod of whose create the answer was lost is met again, and there is one', async () => {
  const api = new FakeApi()
  const ctx = world(api)
  api.after = ({ verb, resource }) => {
    if (verb !== 'create' || resource !== 'pods') return
    throw kubeError('KUBE_ALREADY_EXISTS', 'pods already exists', { details: { mayBeOurs: true } })
  }

  const seen = await withJobPod(ctx, job, async (pod) => ({ pod, there: names(api) }))

  expect(seen.there).toEqual([seen.pod.name])
  expect(names(api)).toEqual([])
})

test('a try that is not the first finds the pods of those before it gone before it makes its own', async () => {
  const api = new FakeApi()
  const ctx = world(api)
  const first = await withJobPod({ ...ctx, deriveName: () => 'job-1' }, job, async () => api.all(kinds.pods)[0])
  if (!first) throw new Error('there was no pod')
  api.put(kinds.pods, first)
  api.put(kinds.pods, { metadata: { name: 'job-0', namespace: 'app' } })
  const atCreate: string[][] = []
  api.before = ({ verb }) => void (verb === 'create' && atCreate.push(names(api)))
  const second = { ...ctx, deriveName: () => 'job-2', earlierNames: () => ['job-0', 'job-1'] }

  await withJobPod(second, job, async () => undefined)

  // The namesake of somebody else stays.
  expect(atCreate).toEqual([['job-0']])
  expect(names(api)).toEqual(['job-0'])
})
