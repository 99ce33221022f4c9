import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActionSetStatus } from '../../../src/api/actionset.ts'
import { names } from '../../../src/api/names.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'
import type { FakeProcess, FakeRequest } from '../../build/fake-api.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
})
afterEach(async () => {
  await world.close()
})

const blueprint = {
  backup: {
    outputArtifacts: { o: { keyValue: { a: '{{ .Phases.p2.Output.out }}', d: '{{ .DeferPhase.Output.out }}' } } },
    phases: [say('p1', 'one'), say('p2', '{{ .Phases.p1.Output.out }}-two')],
    deferPhase: say('def', 'unlock'),
  },
}

/** Without times: what must not depend on when somebody died. */
function essence(status: ActionSetStatus | undefined): unknown {
  return JSON.parse(JSON.stringify(status, (key, value: unknown) => (key === 'lastTransitionTime' ? undefined : value)))
}

async function undisturbed(): Promise<unknown> {
  const calm = new EngineWorld()
  calm.blueprint(blueprint)
  await calm.start()
  calm.actionSet([onApp('backup')])
  const { status } = await calm.ended('complete')
  await calm.close()
  return essence(status)
}

const isRunWrite = (request: FakeRequest): boolean => request.resource === 'runs' && request.verb === 'patch'

/** Kills the process at its nth request that matches: before it is carried out, or after, with the answer lost. */
function killAt(victim: FakeProcess, n: number, when: 'before' | 'after', matches: (request: FakeRequest) => boolean): void {
  let count = 0
  world.api[when] = (request) => {
    if (request.process === victim && matches(request) && ++count === n) victim.dead = true
  }
}

// Five writes of a worker: phase 1, phase 2, the deferred phase, the end; and one beyond.
const writes = [1, 2, 3, 4, 5]
const cases = writes.flatMap((n) =>
  (['before', 'after'] as const).flatMap((when) => (['the same', 'another'] as const).map((who) => ({ n, when, who }))),
)

describe('a worker that dies', () => {
  test.each(cases)('$when its journal write $n: $who worker goes on to the same end', async ({ n, when, who }) => {
    const expected = await undisturbed()
    const first: FakeProcess = {}
    world.blueprint(blueprint)
    await Promise.all([world.operator().ready, world.worker('a', '1', {}, first).ready])
    killAt(first, n, when, isRunWrite)

    world.actionSet([onApp('backup')])
    await waitFor('the death or the end', () => first.dead || world.read().status?.state === 'complete', { intervalMs: 1 })
    await (who === 'the same' ? world.worker('a', '2') : world.worker('b', '1')).ready

    const { status } = await world.ended('complete')
    expect(essence(status)).toEqual(expected)
    for (const k of ['one', 'one-two', 'unlock']) {
      const times = world.calls.filter((call) => call === k).length
      expect([1, 2]).toContain(times)
    }
    expect(world.calls.length).toBeLessThanOrEqual(4)
  })

  test('in a phase that must not be repeated: the phase fails as interrupted, and the deferred phase runs', async () => {
    const first: FakeProcess = {}
    world.blueprint({
      backup: { phases: [say('p1', 'once', {}, 'SayOnce'), say('p2', 'two')], deferPhase: say('def', 'unlock') },
    })
    await Promise.all([world.operator().ready, world.worker('a', '1', {}, first).ready])
    world.onCall = ({ k }) => {
      if (k === 'once') first.dead = true
    }
    world.actionSet([onApp('backup')])
    await waitFor('the death', () => first.dead, { intervalMs: 1 })

    await world.worker('b', '1').ready

    const { status } = await world.ended('failed')
    expect(world.calls).toEqual(['once', 'unlock'])
    expect(status?.reason).toBe('Interrupted')
    expect(status?.error?.message).toContain('phase "p1" was interrupted')
    expect(status?.actions?.[0]?.phases?.map((phase) => phase.state)).toEqual(['failed', 'pending'])
  })

  test('after a checkpoint: the next attempt gets it', async () => {
    const first: FakeProcess = {}
    const resumed: unknown[] = []
    world.blueprint({ backup: { phases: [say('p1', 'one', {}, 'Adopt')] } })
    await Promise.all([world.operator().ready, world.worker('a', '1', {}, first).ready])
    world.onCall = async ({ ctx }) => {
      resumed.push(ctx.resumed)
      if (first.dead) return
      await ctx.checkpoint({ pod: ctx.deriveName('kanister-job-') })
      first.dead = true
      await new Promise(() => undefined)
    }
    world.actionSet([onApp('backup')])
    await waitFor('the death', () => first.dead, { intervalMs: 1 })

    await world.worker('a', '2').ready

    await world.ended('complete')
    expect(resumed).toEqual([undefined, { pod: expect.stringMatching(/^kanister-job-[0-9a-f]{12}$/) }])
  })

  test('and left more than its next start has room for: no more run at once than may', async () => {
    const victim: FakeProcess = {}
    world.blueprint({ backup: { phases: [say('p1', '{{ .Options.k }}')] } })
    await Promise.all([world.operator().ready, world.worker('a', '1', { concurrency: 2 }, victim).ready])
    let running = 0
    let most = 0
    world.onCall = async () => {
      if (!victim.dead) return await new Promise(() => undefined)
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 50))
      running--
    }
    world.actionSet([onApp('backup', { options: { k: 'x' } }), onApp('backup', { options: { k: 'y' } })])
    await waitFor('both to run', () => world.calls.length === 2)
    victim.dead = true

    await world.worker('a', '2', { concurrency: 1 }).ready

    await world.ended('complete')
    expect(most).toBe(1)
    expect(world.calls.slice(2).toSorted()).toEqual(['x', 'y'])
  })

  test('and wakes up again after another took over: it writes nothing any more', async () => {
    const sleeper: FakeProcess = {}
    // Its one place is taken, so a stopped process gets no further job.
    const one = { concurrency: 1 }
    let wake = (): void => undefined
    const asleep = new Promise<void>((resolve) => (wake = resolve))
    world.blueprint({ backup: { phases: [say('p1', 'one')], deferPhase: say('def', 'unlock') } })
    await Promise.all([world.operator().ready, world.worker('a', '1', one, sleeper).ready])
    let stopped = false
    world.api.before = async (request) => {
      if (request.process === sleeper && stopped) await asleep
    }
    world.onCall = async ({ k }) => {
      if (k !== 'one' || stopped) return
      stopped = true
      await asleep
    }
    world.actionSet([onApp('backup')])
    await waitFor('the sleep', () => stopped, { intervalMs: 1 })
    await world.worker('b', '1').ready
    const { status } = await world.ended('complete')

    const before = world.api.read(ownKinds.runs, namespace, `run-${world.read().metadata.uid}`)
    wake()
    await waitFor(
      'the sleeper to have tried',
      () => world.api.requests.filter((request) => request.process === sleeper && isRunWrite(request)).length >= 2,
    )

    expect(world.runOf(world.read())).toEqual(before)
    expect(status?.state).toBe('complete')
    expect(world.calls.filter((call) => call === 'unlock')).toEqual(['unlock'])
  })
})

describe('an operator that dies', () => {
  const isOwnWrite = (request: FakeRequest): boolean =>
    ['runs', 'actionsets'].includes(request.resource) && ['create', 'patch'].includes(request.verb)

  test.each([1, 2, 3, 4].flatMap((n) => (['before', 'after'] as const).map((when) => ({ n, when }))))(
    '$when its write $n is started again and brings everything to the same end',
    async ({ n, when }) => {
      const expected = await undisturbed()
      const first: FakeProcess = {}
      world.blueprint(blueprint)
      await Promise.all([world.operator({}, first).ready, world.worker().ready])
      killAt(first, n, when, isOwnWrite)

      world.actionSet([onApp('backup')])
      await waitFor('the death or the end', () => first.dead || world.read().status?.state === 'complete', { intervalMs: 1 })
      await world.operator().ready

      const { status } = await world.ended('complete')
      expect(essence(status)).toEqual(expected)
      expect(world.calls).toEqual(['one', 'one-two', 'unlock'])
    },
  )
})

describe('an API server that fails now and then', () => {
  test.each(['before', 'after'] as const)(
    '%s carrying out every third request: everything still ends well, nothing runs twice',
    async (when) => {
      world.blueprint(blueprint)
      await world.start()
      let count = 0
      world.api[when] = (request) => {
        if (request.resource !== 'leases' && ++count % 3 === 0) throw kubeError('KUBE_SERVER', 'etcdserver: leader changed')
      }

      world.actionSet([onApp('backup')])

      const { status } = await world.ended('complete')
      expect(status?.actions?.[0]?.artifacts).toEqual({ o: { keyValue: { a: 'one-two', d: 'unlock' } } })
      expect(world.calls).toEqual(['one', 'one-two', 'unlock'])
    },
  )
})

describe('a queue that loses everything', () => {
  test('jobs that waited are added again', async () => {
    world.blueprint(blueprint)
    await world.operator().ready
    world.actionSet([onApp('backup')])
    await waitFor('the Run', () => world.runOf(world.read()))

    world.queue.wipe()
    await world.worker().ready

    await world.ended('complete')
  })
})

describe('a cancel', () => {
  test('by annotation stops the phase, runs the deferred one and ends as failed with reason Cancelled', async () => {
    world.blueprint({
      backup: { phases: [say('p1', 'one', { hang: true }), say('p2', 'two')], deferPhase: say('def', 'unlock') },
    })
    await world.start()
    world.actionSet([onApp('backup')])
    await waitFor('the phase', () => world.calls.includes('one'), { intervalMs: 1 })

    const actionSet = world.read()
    world.api.put(ownKinds.actionSets, {
      ...actionSet,
      metadata: { ...actionSet.metadata, annotations: { [names.cancel]: 'true' } },
    })

    const { status } = await world.ended('failed')
    expect(status?.reason).toBe('Cancelled')
    expect(status?.actions?.[0]?.phases?.map((phase) => phase.state)).toEqual(['failed', 'pending'])
    expect(status?.actions?.[0]?.deferPhase?.state).toBe('complete')
    expect(world.calls).toEqual(['one', 'unlock'])
  })

  test('by deletion does the same; the Run tells', async () => {
    world.blueprint({ backup: { phases: [say('p1', 'one', { hang: true })], deferPhase: say('def', 'unlock') } })
    await world.start()
    const actionSet = world.actionSet([onApp('backup')])
    await waitFor('the phase', () => world.calls.includes('one'), { intervalMs: 1 })

    world.api.remove(ownKinds.actionSets, namespace, 'as')

    const run = await waitFor('the end', () => {
      const found = world.runOf(actionSet)
      return found?.status.endedAt === undefined ? undefined : found
    })
    expect(run.status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
    expect(world.calls).toEqual(['one', 'unlock'])
  })

  test('of one that waits for a worker ends at once and runs nothing', async () => {
    world.blueprint({ backup: { phases: [say('p1', 'one')], deferPhase: say('def', 'unlock') } })
    await world.operator().ready
    world.actionSet([onApp('backup')])
    await waitFor('the Run', () => world.runOf(world.read()))

    const actionSet = world.read()
    world.api.put(ownKinds.actionSets, {
      ...actionSet,
      metadata: { ...actionSet.metadata, annotations: { [names.cancel]: 'true' } },
    })

    const { status } = await world.ended('failed')
    expect(status?.reason).toBe('Cancelled')
    expect(world.calls).toEqual([])
  })
})

describe('a worker that is stopped', () => {
  test('gives its action to another, which goes on', async () => {
    world.blueprint({ backup: { phases: [say('p1', 'one'), say('p2', 'two')], deferPhase: say('def', 'unlock') } })
    await world.operator().ready
    const first = world.worker('a', '1')
    await first.ready
    let told: unknown
    world.onCall = async ({ k, ctx }) => {
      if (k !== 'one' || told) return
      await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve(), { once: true }))
      told = (ctx.signal.reason as { code?: string }).code
      throw ctx.signal.reason
    }
    world.actionSet([onApp('backup')])
    await waitFor('the phase', () => world.calls.includes('one'), { intervalMs: 1 })

    await first.close()
    expect(world.runOf(world.read())?.status.actions['0']?.fence.owner).toBe('')
    await world.worker('b', '1').ready

    await world.ended('complete')
    expect(told).toBe('RUN_SHUTDOWN')
    expect(world.calls).toEqual(['one', 'one', 'two', 'unlock'])
  })
})

describe('a worker that is stopped in a phase that cannot be repeated', () => {
  test('lets it end within its time, and another worker does the rest', async () => {
    world.blueprint({ backup: { phases: [say('p1', 'once', {}, 'SayOnce'), say('p2', 'two')] } })
    await world.operator().ready
    const first = world.worker('a', '1', { drainMs: 5_000 })
    await first.ready
    let end = (): void => undefined
    const ends = new Promise<void>((resolve) => (end = resolve))
    world.onCall = async ({ k }) => {
      if (k === 'once') await ends
    }
    world.actionSet([onApp('backup')])
    await waitFor('the phase', () => world.calls.includes('once'), { intervalMs: 1 })

    const closing = first.close()
    end()
    await closing
    await world.worker('b', '1').ready

    await world.ended('complete')
    expect(world.calls).toEqual(['once', 'two'])
  })
})

describe('a phase with a deadline', () => {
  test('fails when it does not end in time, and the deferred phase runs', async () => {
    world.blueprint({
      backup: { phases: [say('p1', 'one', { hang: true })], deferPhase: { ...say('def', 'unlock'), timeout: '1h' } },
    })
    await Promise.all([world.operator().ready, world.worker('w', '1', { phaseTimeoutMs: 500 }).ready])
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(status?.error?.message).toBe('phase "p1" (Say) did not end within 0.5 s')
    expect(world.calls).toEqual(['one', 'unlock'])
  })

  test('fails also when the function does not listen to its signal', async () => {
    world.blueprint({ backup: { phases: [say('p1', 'one')] } })
    await Promise.all([world.operator().ready, world.worker('w', '1', { phaseTimeoutMs: 50, graceMs: 50 }).ready])
    world.onCall = async () => await new Promise(() => undefined)
    world.actionSet([onApp('backup')])

    await world.ended('failed')
  })
})

describe('outputs that are too large', () => {
  test('fail their phase, and say what to do', async () => {
    world.blueprint({ backup: { phases: [say('p1', 'x'.repeat(600_000))] } })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(status?.error?.message).toContain('push data to the location instead')
  })
})
