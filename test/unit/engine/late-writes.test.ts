import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Run, RunAction } from '../../../src/api/run.ts'
import { names } from '../../../src/api/names.ts'
import { type Clock, systemClock } from '../../../src/base/clock.ts'
import { Journal } from '../../../src/engine/journal.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { EngineWorld, onApp, say } from '../../build/engine-world.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

let world: EngineWorld
let run: Live<Run>
beforeEach(async () => {
  world = new EngineWorld()
  world.blueprint({ backup: { phases: [say('p1', 'one'), say('p2', 'two')] } })
  await world.operator().ready
  world.actionSet([onApp('backup')])
  run = await waitFor('the Run', () => world.runOf(world.read()))
})
afterEach(async () => {
  await world.close()
})

function journalOf(read: Live<Run>, clock: Clock = systemClock): Journal {
  const plan = { actionSetName: 'as', actionName: 'backup', hasArtifacts: false, wantsRecord: false }
  return new Journal({
    kube: world.api.kube(),
    run: read,
    actionIndex: 0,
    plan,
    clock,
    log: silentLogger,
    emit: () => undefined,
    budgetMs: 1_000,
    soonMs: 10,
  })
}

function there(): RunAction {
  return world.runOf(world.read())?.status.actions['0'] as RunAction
}

describe('two workers that give back what they took at the same moment', () => {
  test('tell their writes apart: the one that came late changes nothing', async () => {
    const late = journalOf(run)
    late.apply({ type: 'claimed', owner: 'b', instance: '2' })
    late.apply({ type: 'released' })
    const first = journalOf(run)
    first.apply({ type: 'claimed', owner: 'a', instance: '1' })
    first.apply({ type: 'phaseStarted', at: 0, now: '2026-01-01T00:00:00Z' })
    await first.flush()
    first.apply({ type: 'released' })
    await first.flush()

    await expect(late.flush()).rejects.toMatchObject({ code: 'RUN_FENCED' })
    expect(there().phases[0]?.state).toBe('running')
  })
})

describe('a worker that has given an action free', () => {
  test('writes nothing more of it, whatever it hears before the answer comes', async () => {
    const journal = journalOf(run)
    journal.apply({ type: 'claimed', owner: 'a', instance: '1' })
    journal.apply({ type: 'suspended', at: 0, now: '2026-01-01T00:00:00Z' })
    journal.apply({ type: 'released' })
    const given = journal.flush()

    journal.apply({ type: 'cancelled' })

    await given
    await journal.flush()
    expect(there()).toMatchObject({ fence: { owner: '', attempt: 2 }, phases: [{ state: 'pending' }, { state: 'pending' }] })
    expect(there().cancelled).toBeUndefined()
    expect(world.api.requests.filter(({ resource, verb }) => resource === 'runs' && verb === 'patch')).toHaveLength(1)
  })
})

describe('a worker that takes back what an earlier start of it left', () => {
  test('does not undo a last write of that start which arrives after the Run was read', async () => {
    const before = journalOf(run)
    before.apply({ type: 'claimed', owner: 'a', instance: '1' })
    before.apply({ type: 'phaseStarted', at: 0, now: '2026-01-01T00:00:00Z' })
    await before.flush()
    const next = journalOf(world.runOf(world.read()) as Live<Run>)
    before.apply({ type: 'phaseEnded', at: 0, now: '2026-01-01T00:00:01Z' })
    await before.flush()

    next.apply({ type: 'claimed', owner: 'a', instance: '2' })

    await expect(next.flush()).rejects.toMatchObject({ code: 'RUN_FENCED' })
    expect(there().phases[0]?.state).toBe('complete')
  })

  test('knows its own write again when only the answer was lost', async () => {
    const before = journalOf(run)
    before.apply({ type: 'claimed', owner: 'a', instance: '1' })
    await before.flush()
    const next = journalOf(world.runOf(world.read()) as Live<Run>)
    let lost = false
    world.api.after = (request) => {
      if (request.resource !== 'runs' || request.verb !== 'patch' || lost) return
      lost = true
      throw kubeError('KUBE_SERVER', 'etcdserver: leader changed')
    }

    next.apply({ type: 'claimed', owner: 'a', instance: '2' })
    await next.flush()

    expect(there().fence).toEqual({ owner: 'a', instance: '2', attempt: 2 })
  })
})

describe('a worker that sleeps over the answer to a write', () => {
  test('asks whether the action is still its own before it goes on', async () => {
    let nowMs = Date.now()
    const clock: Clock = { ...systemClock, now: () => nowMs }
    const sleeper = journalOf(run, clock)
    sleeper.apply({ type: 'claimed', owner: 'a', instance: '1' })
    await sleeper.flush()
    sleeper.apply({ type: 'phaseStarted', at: 0, now: '2026-01-01T00:00:00Z' })
    world.api.after = async (request) => {
      if (request.resource !== 'runs' || request.verb !== 'patch' || nowMs > Date.now() + 10_000) return
      nowMs += 60_000
      // Another start of the worker has taken the action meanwhile.
      const other = journalOf(world.runOf(world.read()) as Live<Run>)
      other.apply({ type: 'claimed', owner: 'a', instance: '2' })
      await other.flush()
    }

    await expect(sleeper.flush()).rejects.toMatchObject({ code: 'RUN_FENCED' })
  })
})

describe('a worker that takes over from one that may be asleep', () => {
  /** A clock whose sleeps are noted and cost nothing. */
  function noted(): { clock: Clock; slept: number[]; passes: (ms: number) => void } {
    let nowMs = Date.now()
    const slept: number[] = []
    const sleep = async (ms: number): Promise<void> => void slept.push(ms)
    return { clock: { now: () => nowMs, sleep }, slept, passes: (ms) => (nowMs += ms) }
  }

  async function claimed(instance: string, clock: Clock): Promise<Journal> {
    const journal = journalOf(world.runOf(world.read()) as Live<Run>, clock)
    journal.apply({ type: 'claimed', owner: 'a', instance })
    await journal.flush()
    return journal
  }

  test('is alone when the other one cannot trust any more what he was told last', async () => {
    await claimed('1', systemClock)
    const { clock, slept, passes } = noted()
    const next = await claimed('2', clock)

    await next.untilAlone()
    passes(3_000)
    await next.untilAlone()
    passes(3_000)
    await next.untilAlone()

    expect(slept).toEqual([5_000, 2_000])
  })

  test('waits for nobody where nobody had the action', async () => {
    const { clock, slept } = noted()
    await (await claimed('1', clock)).untilAlone()

    expect(slept).toEqual([])
  })

  test('is believed for a moment by the other one, unless he asks anew', async () => {
    const before = await claimed('1', noted().clock)
    await claimed('2', systemClock)

    await before.confirm()
    await expect(before.confirm({ timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'RUN_FENCED' })
  })

  test('asks again when its clock was set back, since it cannot tell how long ago it was told', async () => {
    const { clock, passes } = noted()
    const before = await claimed('1', clock)
    await claimed('2', systemClock)
    passes(-3_600_000)

    await expect(before.confirm()).rejects.toMatchObject({ code: 'RUN_FENCED' })
  })
})

describe('a server that has just started and knows no rights yet', () => {
  test('fails no write of the journal', async () => {
    const journal = journalOf(run)
    let refused = 0
    world.api.before = ({ resource, verb }) => {
      if (resource === 'runs' && verb === 'patch' && refused++ < 2) throw kubeError('KUBE_FORBIDDEN', 'runs is forbidden')
    }

    journal.apply({ type: 'claimed', owner: 'a', instance: '1' })
    await journal.flush()

    expect(there().fence).toEqual({ owner: 'a', instance: '1', attempt: 1 })
  })
})

describe('an action that was cancelled before a worker had it', () => {
  test('cannot be taken any more by one that read it before', async () => {
    const taker = journalOf(run)
    const actionSet = world.read()
    const annotations = { [names.cancel]: 'true' }
    world.api.put(ownKinds.actionSets, { ...actionSet, metadata: { ...actionSet.metadata, annotations } })
    await world.ended('failed')

    taker.apply({ type: 'claimed', owner: 'a', instance: '1' })

    await expect(taker.flush()).rejects.toMatchObject({ code: 'RUN_FENCED' })
    expect(there().state).toBe('failed')
  })
})

describe('a worker whose name another process has taken', () => {
  test('ends, and leaves to it what it has', async () => {
    const first = world.worker('a', '1')
    await first.ready
    await world.worker('a', '2').ready

    await expect(first.done).rejects.toMatchObject({ code: 'RUN_FENCED' })
    await world.ended('complete')
  })
})
