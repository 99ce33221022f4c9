import { expect, test } from 'vitest'
import { Unseen } from '../../../src/controllers/runtime/unseen.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import type { ActionSet } from '../../../src/api/actionset.ts'
import { FakeApi } from '../../build/fake-api.ts'

const never = new AbortController().signal

function setting(): { api: FakeApi; unseen: Unseen<ActionSet>; passes: (ms: number) => void } {
  const api = new FakeApi()
  let nowMs = 1_000
  const clock: Clock = { now: () => nowMs, sleep: () => Promise.resolve() }
  return { api, unseen: new Unseen(api.kube().resource(ownKinds.actionSets), clock), passes: (ms) => (nowMs += ms) }
}

const actionSet = {
  apiVersion: 'cr.kanister.io/v1alpha1',
  kind: 'ActionSet',
  metadata: { name: 'as', namespace: 'n' },
} as ActionSet

test('what was made and went before the watch looked is forgotten after a minute', async () => {
  const { api, unseen, passes } = setting()
  unseen.made(api.put(ownKinds.actionSets, actionSet))
  api.remove(ownKinds.actionSets, 'n', 'as')

  passes(30_000)
  await unseen.check(never)
  expect(unseen.get('as')).toBeDefined()

  passes(30_000)
  await unseen.check(never)
  expect(unseen.get('as')).toBeUndefined()
})

test('what is there stays known, as it is now, while the watch is late', async () => {
  const { api, unseen, passes } = setting()
  const made = api.put(ownKinds.actionSets, actionSet)
  unseen.made(made)
  api.put(ownKinds.actionSets, { ...made, status: { state: 'complete' } } as ActionSet)

  passes(60_000)
  await unseen.check(never)
  expect(unseen.list()).toMatchObject([{ status: { state: 'complete' } }])

  unseen.seen('as')
  expect(unseen.list()).toEqual([])
})
