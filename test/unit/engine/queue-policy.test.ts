import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import { decideQueue, overdueMs, type OpenAction, type OpenRun, type QueueRules } from '../../../src/engine/queue-policy.ts'

const rules: QueueRules = { nowMs: 1_000_000, perShare: Infinity }
const waits: OpenAction = { index: 0, state: 'waiting', begun: false }
const runs: OpenAction = { index: 0, state: 'running', begun: true, startedMs: 0 }

function openRun(key: string, more: Partial<OpenRun> = {}): OpenRun {
  const base = { share: 'a', priority: 0, sinceMs: 0, objects: [], held: false, begun: false, actions: [waits] }
  return { key, label: key, ...base, ...more }
}

const keysOf = (open: readonly OpenRun[], more: Partial<QueueRules> = {}): string[] =>
  decideQueue(open, { ...rules, ...more }).order.map(({ run }) => run.key)

describe('the order', () => {
  test('goes by age', () => {
    expect(keysOf([openRun('late', { sinceMs: 2 }), openRun('early', { sinceMs: 1 })])).toEqual(['early', 'late'])
  })

  test('goes by priority before age', () => {
    expect(keysOf([openRun('old'), openRun('urgent', { sinceMs: 9, priority: 100 })])).toEqual(['urgent', 'old'])
  })

  test('puts what is under way before everything', () => {
    const resumed = openRun('resumed', { sinceMs: 9, priority: -100, actions: [{ ...waits, begun: true }] })

    expect(keysOf([openRun('restore', { priority: 1_000 }), resumed])).toEqual(['resumed', 'restore'])
  })

  test('lets the one of a quiet namespace go before the thousand of another', () => {
    const crowd = Array.from({ length: 1_000 }, (_, index) => openRun(`crowd-${index}`, { sinceMs: index }))
    const one = openRun('one', { share: 'b', sinceMs: 5_000 })

    expect(keysOf([...crowd, openRun('runs', { actions: [runs] }), one])[0]).toBe('one')
    expect(keysOf([...crowd, one]).indexOf('one')).toBeLessThanOrEqual(1)
  })

  test('gives one worker to whoever waited too long, and not two', () => {
    const nowMs = 3 * overdueMs
    const waiting = [openRun('forgotten', { priority: -100 }), openRun('urgent', { priority: 100, sinceMs: nowMs })]
    const served = openRun('served', { actions: [{ ...runs, startedMs: 2 * overdueMs }] })

    expect(keysOf(waiting, { nowMs })).toEqual(['forgotten', 'urgent'])
    expect(keysOf([...waiting, served], { nowMs })).toEqual(['urgent', 'forgotten'])
  })

  test('has lanes that BullMQ can take', () => {
    const many = Array.from({ length: 3_000 }, (_, index) => openRun(`r${index}`, { priority: -1_000 }))
    const lanes = decideQueue([...many, openRun('first', { priority: 1_000 })], rules).order.map(({ lane }) => lane)

    expect(Math.min(...lanes)).toBeGreaterThanOrEqual(1)
    expect(Math.max(...lanes)).toBeLessThan(2 ** 21)
  })
})

describe('admission', () => {
  test('lets one at a time work on an object, and names it to the other', () => {
    const holder = openRun('ns/holder', { objects: ['db'], actions: [runs] })
    const next = openRun('ns/next', { objects: ['db'], held: true })

    const { admit, blocked } = decideQueue([holder, next], rules)

    expect([...admit]).toEqual([])
    expect(blocked.get('ns/next')).toEqual({ for: 'Object', holder: 'ns/holder' })
    expect([...decideQueue([next], rules).admit]).toEqual(['ns/next'])
  })

  test('leaves alone what shares its objects with anybody', () => {
    const holder = openRun('holder', { objects: ['db'], actions: [runs] })

    expect(decideQueue([holder, openRun('plain')], rules).blocked.size).toBe(0)
  })

  test('keeps a place for one that wants two objects', () => {
    const holder = openRun('holder', { objects: ['x'], actions: [runs] })
    const both = openRun('both', { objects: ['x', 'y'], held: true, sinceMs: 1 })
    const later = openRun('later', { objects: ['y'], held: true, sinceMs: 2 })

    expect([...decideQueue([holder, both, later], rules).admit]).toEqual([])
    expect([...decideQueue([both, later], rules).admit]).toEqual(['both'])
  })

  test('makes the younger wait when two operators let both in, but stops nothing that has begun', () => {
    const older = openRun('older', { objects: ['db'], sinceMs: 1 })
    const younger = openRun('younger', { objects: ['db'], sinceMs: 2 })

    expect([...decideQueue([younger, older], rules).hold]).toEqual(['younger'])
    expect([...decideQueue([{ ...younger, actions: [runs] }, older], rules).hold]).toEqual(['older'])
  })
})

interface Asked {
  readonly share: string
  readonly priority: number
  readonly objects: readonly string[]
  readonly lasts: number
}

const asked: fc.Arbitrary<Asked> = fc.record({
  share: fc.constantFrom('a', 'b', 'c'),
  priority: fc.constantFrom(-100, 0, 0, 100),
  objects: fc.subarray(['x', 'y', 'z']),
  lasts: fc.integer({ min: 1, max: 4 }),
})

/** An engine of some workers in virtual time, that does what the policy says; checks at each step that nobody got in wrongly. */
function play(all: readonly (Asked & { readonly atStep: number })[], workers: number, perShare: number): string[] {
  const began: string[] = []
  let open: (OpenRun & { left: number })[] = []
  const stepMs = 60_000
  for (let step = 0; open.length > 0 || all.some(({ atStep }) => atStep >= step); step++) {
    if (step > 20_000) throw new Error(`starved: ${open.map(({ key }) => key).join(', ')}`)
    const nowMs = step * stepMs
    for (const [index, one] of all.entries()) {
      if (one.atStep !== step) continue
      const { share, priority, objects, lasts } = one
      open.push({ ...openRun(`r${index}`, { share, priority, objects, held: true, sinceMs: nowMs }), left: lasts })
    }
    const { admit } = decideQueue(open, { nowMs, perShare })
    open = open.map((run) => (admit.has(run.key) ? { ...run, held: false } : run))
    const decision = decideQueue(open, { nowMs, perShare })
    expect(decision.hold.size).toBe(0)
    let free = workers - open.filter(({ actions }) => actions[0]?.state === 'running').length
    for (const { run } of decision.order) {
      if (free === 0 || run.held || decision.blocked.has(run.key)) continue
      free--
      began.push(run.key)
      const started: OpenAction = { index: 0, state: 'running', begun: true, startedMs: nowMs }
      open = open.map((each) => (each.key === run.key ? { ...each, begun: true, actions: [started] } : each))
    }
    const running = open.filter(({ actions }) => actions[0]?.state === 'running')
    expect(running.length).toBeLessThanOrEqual(workers)
    const taken = running.flatMap(({ objects }) => objects)
    expect(new Set(taken).size).toBe(taken.length)
    for (const share of ['a', 'b', 'c']) {
      expect(running.filter((run) => run.share === share).length).toBeLessThanOrEqual(perShare)
    }
    // Nobody idles while somebody could go.
    const idle = decision.order.filter(({ run }) => !run.held && !decision.blocked.has(run.key)).length
    expect(running.length).toBeGreaterThanOrEqual(Math.min(workers, idle))
    open = open.map((run) => (running.includes(run) ? { ...run, left: run.left - 1 } : run)).filter(({ left }) => left > 0)
  }
  return began
}

test('a Run between two of its actions keeps its objects', () => {
  const between = openRun('between', { objects: ['db'], begun: true, sinceMs: 9 })
  const older = openRun('older', { objects: ['db'], sinceMs: 1 })

  expect([...decideQueue([between, older], rules).hold]).toEqual(['older'])
  expect([...decideQueue([{ ...between, held: true }, older], rules).admit]).toEqual(['between'])
})

describe('whatever is asked for', () => {
  test('everybody gets a turn, and never two an object or more than the limits', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(asked, fc.nat(20)), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 2, Infinity),
        (list, workers, perShare) => {
          const all = list.map(([one, atStep]) => ({ ...one, atStep }))
          expect(play(all, workers, perShare).toSorted()).toEqual(all.map((_, index) => `r${index}`).toSorted())
        },
      ),
      { numRuns: 200 },
    )
  })

  test('a stream of urgent ones does not keep out one that waits', () => {
    const urgent = Array.from({ length: 300 }, (_, atStep) => ({ share: 'a', priority: 100, objects: [], lasts: 1, atStep }))
    const meek = { share: 'a', priority: -100, objects: [], lasts: 1, atStep: 0 }

    const began = play([...urgent, meek], 1, Infinity)

    expect(began.indexOf('r300')).toBeLessThan(40)
  })

  test('among waiting ones of one priority no namespace gets two more than another that waits', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 60 }), fc.nat(60), (shares, picked) => {
        const open = shares.map((share, index) => openRun(`r${index}`, { share, sinceMs: index }))
        const { order } = decideQueue(open, { ...rules, nowMs: 0 })
        const first = order.slice(0, picked)
        const left = new Set(order.slice(picked).map(({ run }) => run.share))
        const count = (share: string): number => first.filter(({ run }) => run.share === share).length
        for (const share of left) expect(count(share) + 1).toBeGreaterThanOrEqual(Math.max(...['a', 'b', 'c'].map(count)))
      }),
      { numRuns: 300 },
    )
  })
})
