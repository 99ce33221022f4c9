import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Run } from '../../../src/api/run.ts'
import { names } from '../../../src/api/names.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { Caches } from '../../../src/controllers/actionset/caches.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { FakeApi } from '../../build/fake-api.ts'

const signal = new AbortController().signal
let api: FakeApi
let caches: Caches
let nowMs: number

/** The watch of Runs says nothing. */
beforeEach(async () => {
  api = new FakeApi()
  api.watchFault = ({ resource }) => (resource === 'runs' ? 'lose' : undefined)
  nowMs = 1_000
  const clock: Clock = { now: () => nowMs, sleep: () => Promise.resolve() }
  const nothing = (): void => undefined
  caches = new Caches({
    kube: api.kube(),
    clock,
    namespace: 'n',
    signal,
    onKey: nothing,
    onError: nothing,
    onStranger: nothing,
  })
  await caches.synced()
})
afterEach(() => caches.close())

function make(): Live<Run> {
  const run = {
    kind: 'Run',
    metadata: { name: 'run-u', namespace: 'n', labels: { [names.unfinished]: 'true' } },
    spec: { actionSet: { name: 'as', uid: 'u' }, actions: [{ action: {} }] },
    status: { state: 'running', actions: {} },
  }
  const made = api.put(ownKinds.runs, run as unknown as Run)
  caches.wroteRun(made)
  return made
}

test('a Run that we made stays known for as long as the watch is silent, as it is now', async () => {
  const made = make()

  for (let minute = 0; minute < 10; minute++) {
    nowMs += 61_000
    expect(caches.unfinishedRuns('n/as')).toHaveLength(1)
    await caches.askForUnseen(signal)
  }
  api.put(ownKinds.runs, { ...made, status: { ...made.status, cancel: { reason: 'r', at: '' } } })
  nowMs += 61_000
  await caches.askForUnseen(signal)

  expect(caches.unfinishedRuns('n/as')).toMatchObject([{ status: { cancel: { reason: 'r' } } }])
})

test('one that is gone is forgotten when the server says so', async () => {
  make()
  api.remove(ownKinds.runs, 'n', 'run-u')
  nowMs += 61_000

  await caches.askForUnseen(signal)

  expect(caches.unfinishedRuns('n/as')).toEqual([])
  expect(caches.hasUnfinished).toBe(false)
})
