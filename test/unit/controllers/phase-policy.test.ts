import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlueprintPhase } from '../../../src/api/blueprint.ts'
import { EngineWorld, namespace } from '../../build/engine-world.ts'
import type { FakeProcess } from '../../build/fake-api.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

let world: EngineWorld

beforeEach(() => {
  world = new EngineWorld()
})

afterEach(async () => {
  await world.close()
})

const action = { name: 'backup', blueprint: 'bp', object: { kind: 'Namespace', name: 'app', namespace } }

function phase(k: string, more: Partial<BlueprintPhase> = {}, func = 'Say'): BlueprintPhase {
  return { func, name: k, args: { k }, ...more }
}

describe('a phase that may be tried again', () => {
  test('is, until it succeeds; what failed is a warning, and names of what it makes are new', async () => {
    const names: string[] = []
    world.onCall = ({ k, ctx }) => {
      if (k !== 'one') return
      names.push(ctx.deriveName('pod-'))
      if (names.length < 3) throw new Error(`trouble ${names.length}`)
    }
    world.blueprint({ backup: { phases: [phase('one', { retry: { limit: 3, backoff: '1ms' } }), phase('two')] } })
    await world.start()
    world.actionSet([action])

    const { status } = await world.ended('complete')

    expect(world.calls).toEqual(['one', 'one', 'one', 'two'])
    expect(new Set(names).size).toBe(3)
    expect(status?.warnings).toEqual(['one: attempt 2 of 4 after: trouble 1', 'one: attempt 3 of 4 after: trouble 2'])
  })

  test('fails with its last error when the limit is reached, and the deferred phase runs', async () => {
    world.blueprint({
      backup: {
        retry: { limit: 2, backoff: '1ms' },
        phases: [phase('one', { args: { k: 'one', fail: 'no' } })],
        deferPhase: phase('unlock', { args: { k: 'unlock', fail: 'locked' } }),
      },
    })
    await world.start()
    world.actionSet([action])

    const { status } = await world.ended('failed')

    // The policy of the action is for its phases; the deferred one has its own.
    expect(world.calls).toEqual(['one', 'one', 'one', 'unlock'])
    expect(status?.error?.message).toBe('locked')
  })

  test('is not for a kind of failure that it does not name', async () => {
    world.blueprint({
      backup: { phases: [phase('one', { args: { k: 'one', fail: 'no' }, retry: { limit: 2, on: ['Timeout'] } })] },
    })
    await world.start()
    world.actionSet([action])

    await world.ended('failed')

    expect(world.calls).toEqual(['one'])
  })

  test('waits no longer when it is cancelled', async () => {
    world.onCall = ({ k }) => {
      if (k === 'one') throw new Error('trouble')
    }
    world.blueprint({ backup: { phases: [phase('one', { retry: { limit: 3, backoff: '1h' } })], deferPhase: phase('unlock') } })
    await world.start()
    const { metadata, ...rest } = world.actionSet([action])
    await waitFor('the wait', () => world.read().status?.warnings?.length === 1, { intervalMs: 2 })

    world.actionSet([action], { ...rest, metadata: { ...metadata, annotations: { 'holdfast.dev/cancel': 'true' } } })

    const { status } = await world.ended('failed')
    expect(status?.reason).toBe('Cancelled')
    expect(world.calls).toEqual(['one', 'unlock'])
  })

  test('of a worker that dies in the wait, another one waits for the rest only', async () => {
    const first: FakeProcess = {}
    let failures = 0
    world.onCall = ({ k }) => {
      if (k === 'one' && failures++ === 0) throw new Error('trouble')
    }
    world.blueprint({ backup: { phases: [phase('one', { retry: { limit: 1, backoff: '500ms' } }, 'SayOnce')] } })
    await Promise.all([world.operator().ready, world.worker('a', '1', {}, first).ready])
    world.actionSet([action])
    const waiting = await waitFor('the wait', () => world.runOf(world.read())?.status.actions['0']?.phases[0]?.retryAt, {
      intervalMs: 1,
    })
    first.dead = true

    await world.worker('b', '1').ready

    await world.ended('complete')
    expect(world.calls).toEqual(['one', 'one'])
    const ended = world.runOf(world.read())?.status.actions['0']?.phases[0]
    expect(Date.parse(ended?.roundStartedAt ?? '')).toBeGreaterThanOrEqual(Math.floor(Date.parse(waiting) / 1000) * 1000)
    expect(ended).toMatchObject({ retries: 1, state: 'complete' })
  })
})

describe('a deadline', () => {
  test('of a phase ends it; the deferred phase runs with its own', async () => {
    world.blueprint({
      backup: {
        phases: [phase('one', { args: { k: 'one', hang: true }, timeout: '500ms' })],
        deferPhase: phase('unlock', { timeout: '1h' }),
      },
    })
    await world.start()
    world.actionSet([action])

    const { status } = await world.ended('failed')

    expect(world.calls).toEqual(['one', 'unlock'])
    expect(status?.error?.message).toMatch(/^phase "one" \(Say\) did not end within/)
  })

  test('that a try missed may be a reason to try again', async () => {
    let tries = 0
    world.onCall = async ({ ctx }) => {
      if (++tries === 1)
        await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)))
    }
    world.blueprint({
      backup: { phases: [phase('one', { timeout: '500ms', retry: { limit: 1, backoff: '1ms', on: ['Timeout'] } })] },
    })
    await world.start()
    world.actionSet([action])

    await world.ended('complete')

    expect(world.calls).toEqual(['one', 'one'])
  })

  test('of an action is that of all its phases and tries together', async () => {
    world.blueprint({
      backup: {
        timeout: '2s',
        retry: { limit: 100, backoff: '100ms' },
        phases: [phase('one', { args: { k: 'one', fail: 'no' } })],
        deferPhase: phase('unlock'),
      },
    })
    await world.start()
    world.actionSet([action])

    const { status } = await world.ended('failed')

    expect(world.calls.length).toBeLessThan(30)
    expect(world.calls.at(-1)).toBe('unlock')
    // Its own failure, or that the time was over when the last try began.
    expect(status?.error?.message).toMatch(/^no$|^the phases of action "backup" did not end within 2s/)
  })
})

describe('after a crash', () => {
  async function dieInOne(blueprint: BlueprintPhase): Promise<void> {
    const first: FakeProcess = {}
    world.blueprint({ backup: { phases: [blueprint], deferPhase: phase('unlock') } })
    await Promise.all([world.operator().ready, world.worker('a', '1', {}, first).ready])
    world.onCall = async ({ k }) => {
      if (k !== 'one' || first.dead) return
      first.dead = true
      await new Promise(() => undefined)
    }
    world.actionSet([action])
    await waitFor('the death', () => first.dead, { intervalMs: 1 })
    await world.worker('b', '1').ready
  }

  test('resume: restart begins a phase anew that its function would refuse', async () => {
    await dieInOne(phase('one', { resume: 'restart' }, 'SayOnce'))

    await world.ended('complete')
    expect(world.calls).toEqual(['one', 'one', 'unlock'])
  })

  test('resume: refuse fails one that its function would go on with', async () => {
    await dieInOne(phase('one', { resume: 'refuse' }))

    const { status } = await world.ended('failed')
    expect(status?.reason).toBe('Interrupted')
    expect(world.calls).toEqual(['one', 'unlock'])
  })

  test('retry on Interrupted tries again', async () => {
    await dieInOne(phase('one', { retry: { limit: 1, backoff: '1ms', on: ['Interrupted'] } }, 'SayOnce'))

    await world.ended('complete')
    expect(world.calls).toEqual(['one', 'one', 'unlock'])
  })
})

test('a duration that is none fails that ActionSet alone, with a clear message', async () => {
  world.blueprint({ backup: { phases: [phase('one', { timeout: 'soon', retry: { limit: 1, backoff: '-3s' } })] } })
  await world.start()
  world.actionSet([action])

  const { status } = await world.ended('failed')

  expect(status?.error?.message).toContain('timeout "soon" is no duration; write it as 90s, 30m or 1h30m')
  expect(status?.error?.message).toContain('retry.backoff "-3s"')
  expect(world.calls).toEqual([])
})
