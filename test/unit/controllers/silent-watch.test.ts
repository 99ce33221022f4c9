import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { names } from '../../../src/api/names.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'
import type { FakeProcess } from '../../build/fake-api.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
})
afterEach(async () => {
  world.api.watchFault = () => undefined
  await world.close()
})

/** From now on a process hears nothing more of Runs, and nothing tells it so. */
function silence(process: FakeProcess): void {
  world.api.watchFault = (watch) => (watch.resource === 'runs' && watch.process === process ? 'lose' : undefined)
}

function cancel(): void {
  const there = world.read()
  const annotations = { [names.cancel]: 'true' }
  world.api.put(ownKinds.actionSets, { ...there, metadata: { ...there.metadata, annotations } })
}

/** The next Run is made, and whoever made it does not hear so; meanwhile something else happens. */
function createRunWithoutAnswer(meanwhile: () => void): void {
  world.api.after = ({ verb, resource }) => {
    if (verb !== 'create' || resource !== 'runs') return
    world.api.after = () => undefined
    meanwhile()
    throw kubeError('KUBE_UNREACHABLE', 'connection reset')
  }
}

describe('a watch of Runs that falls silent', () => {
  test('does not keep the operator from noticing that a worker died: its Lease says so', async () => {
    const operator: FakeProcess = {}
    const victim: FakeProcess = {}
    world.blueprint({ backup: { phases: [say('p', 'k')], deferPhase: say('d', 'unlock') } })
    await Promise.all([world.operator({}, operator).ready, world.worker('w1', '1', {}, victim).ready])
    world.onCall = () => (victim.dead ? undefined : new Promise(() => undefined))
    silence(operator)
    const actionSet = world.actionSet([onApp('backup')])
    await waitFor('the phase to run', () => world.calls.length > 0)
    victim.dead = true

    await world.worker('w2', '1').ready

    await waitFor('the Run to be complete', () => world.runOf(actionSet)?.status.state === 'complete')
    expect(world.calls).toEqual(['k', 'k', 'unlock'])
  })

  test('does not keep a cancel from a Run whose create got no answer', async () => {
    const operator: FakeProcess = {}
    silence(operator)
    world.blueprint({ backup: { phases: [say('p', 'k')] } })
    await world.operator({}, operator).ready
    createRunWithoutAnswer(cancel)

    const actionSet = world.actionSet([onApp('backup')])

    await world.ended('failed')
    expect(world.runOf(actionSet)?.status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
    expect(world.read().status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
  })

  test('does not have an ActionSet refused whose Run was made, and whose Blueprint went since', async () => {
    const operator: FakeProcess = {}
    silence(operator)
    world.blueprint({ backup: { phases: [say('p', 'k')] } })
    await world.operator({}, operator).ready
    createRunWithoutAnswer(() => world.api.remove(ownKinds.blueprints, namespace, 'bp'))
    const actionSet = world.actionSet([onApp('backup')])
    await world.worker().ready

    await waitFor('the Run to be complete', () => world.runOf(actionSet)?.status.state === 'complete')
    expect(world.read().status?.state).not.toBe('failed')
    expect(world.api.events.filter(({ type }) => type === 'Warning')).toEqual([])
  })

  test('does not keep a worker from hearing of a cancel', async () => {
    const deaf: FakeProcess = {}
    world.blueprint({ backup: { phases: [say('p', 'k', { hang: true })], deferPhase: say('d', 'unlock') } })
    await Promise.all([world.operator().ready, world.worker('w1', '1', {}, deaf).ready])
    silence(deaf)
    world.actionSet([onApp('backup')])
    await waitFor('the phase to run', () => world.calls.length > 0)

    cancel()

    expect((await world.ended('failed')).status?.reason).toBe('Cancelled')
    expect(world.calls).toEqual(['k', 'unlock'])
  })

  test('does not let a phase begin that was cancelled after the worker had read its Run', async () => {
    const operator: FakeProcess = {}
    const deaf: FakeProcess = {}
    silence(deaf)
    world.blueprint({ backup: { phases: [say('p', 'k', { hang: true })], deferPhase: say('d', 'unlock') } })
    let claimed = false
    world.api.after = async ({ verb, resource, process, patch }) => {
      if (resource !== 'runs' || process !== deaf) return
      if (verb === 'patch') claimed = patch?.some(({ path }) => path === '/status/actions/0') === true
      if (verb !== 'get') return
      world.api.after = async (request) => void (claimed ||= request.process === deaf && request.verb === 'patch')
      cancel()
      await waitFor('the cancel to be told', () => world.runOf(world.read())?.status.cancel !== undefined)
    }
    // The operator would end what nobody has; it is a moment too late.
    world.api.before = async ({ process, patch }) => {
      if (process === operator && patch?.some(({ path }) => path.startsWith('/status/actions/0')))
        await waitFor('the claim of the worker', () => claimed)
    }
    await Promise.all([world.operator({}, operator).ready, world.worker('w1', '1', {}, deaf).ready])

    world.actionSet([onApp('backup')])

    expect((await world.ended('failed')).status?.reason).toBe('Cancelled')
    expect(world.calls).not.toContain('k')
  })
})

describe('a watch of ActionSets that is a minute late', () => {
  const metadata = { name: 'as', namespace, creationTimestamp: new Date(Date.now() - 60_000).toISOString() }

  /** Shows an ActionSet as it was a minute ago. */
  async function showLate(change: () => void): Promise<void> {
    world.blueprint({ backup: { phases: [say('p', 'k')] } })
    await world.start()
    world.actionSet([onApp('backup')], { metadata })
    world.api.watchFault = ({ resource }) => (resource === 'actionsets' ? 'lose' : undefined)
    change()
  }

  test('begins nothing that was deleted since', async () => {
    await showLate(() => world.api.remove(ownKinds.actionSets, namespace, 'as'))

    await waitFor('the operator to have asked', () =>
      world.api.requests.some(({ verb, resource }) => verb === 'get' && resource === 'actionsets'),
    )
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(world.api.all(ownKinds.runs)).toEqual([])
    expect(world.calls).toEqual([])
  })

  test('begins nothing that was cancelled since', async () => {
    await showLate(cancel)

    expect((await world.ended('failed')).status?.reason).toBe('Cancelled')
    expect(world.calls).toEqual([])
  })
})
