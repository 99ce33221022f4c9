import { describe, expect, test } from 'vitest'
import { Liveness } from '../../../src/controllers/runtime/liveness.ts'
import type { Clock } from '../../../src/base/clock.ts'

const owned = { owner: 'worker-0', instance: 'a', attempt: 1 }
const never = new AbortController().signal

function setting(): {
  liveness: Liveness
  lease: { spec: { holderIdentity: string; renewTime: string } }
  clock: Clock & { nowMs: number }
} {
  const lease = { metadata: { name: 'holdfast-worker-worker-0' }, spec: { holderIdentity: 'worker-0/a', renewTime: '1' } }
  const clock = { nowMs: 0, now: () => clock.nowMs, sleep: () => Promise.resolve() }
  const kube = { resource: () => ({ list: () => Promise.resolve({ items: [structuredClone(lease)], resourceVersion: '1' }) }) }
  // Only `list` is called.
  const liveness = new Liveness({ kube: kube as never, namespace: 'ns', clock, timeoutMs: 10_000 })
  return { liveness, lease, clock }
}

describe('which workers are gone', () => {
  test('one whose Lease did not change for the timeout while we looked', async () => {
    const { liveness, clock } = setting()
    for (clock.nowMs = 0; clock.nowMs <= 12_000; clock.nowMs += 2_000) await liveness.poll([owned], never)

    expect(liveness.isGone(owned)).toBe(true)
  })

  test('not one that fell silent with us: the machine slept, or its clock was set', async () => {
    const { liveness, lease, clock } = setting()
    await liveness.poll([owned], never)
    clock.nowMs = 3_600_000
    await liveness.poll([owned], never)
    clock.nowMs += 2_000
    await liveness.poll([owned], never)

    expect(liveness.isGone(owned)).toBe(false)
    expect(liveness.newlySilent()).toEqual([])

    lease.spec.renewTime = '2'
    clock.nowMs = 0
    for (let looks = 0; looks < 6; looks++, clock.nowMs += 2_000) await liveness.poll([owned], never)

    expect(liveness.isGone(owned)).toBe(false)
  })

  test('one whose Lease names a later start', async () => {
    const { liveness, lease } = setting()
    lease.spec.holderIdentity = 'worker-0/b'

    await liveness.poll([owned], never)

    expect(liveness.isGone(owned)).toBe(true)
  })

  test('not one that was seen long ago and not looked at since: it may have worked on all the time', async () => {
    const { liveness, clock } = setting()
    await liveness.poll([owned], never)

    clock.nowMs = 3_600_000

    expect(liveness.isGone(owned)).toBe(false)
  })

  test('not one that renewed its Lease between two looks', async () => {
    const { liveness, lease, clock } = setting()
    await liveness.poll([owned], never)
    clock.nowMs = 3_600_000
    lease.spec.renewTime = '2'

    await liveness.poll([owned], never)

    expect(liveness.isGone(owned)).toBe(false)
  })

  test('not a new start of a worker whose Lease was looked at before it took over', async () => {
    const { liveness } = setting()
    await liveness.poll([owned], never)

    expect(liveness.isGone({ ...owned, instance: 'b', attempt: 2 })).toBe(false)
  })
})
