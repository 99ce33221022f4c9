import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../src/api/actionset.ts'
import type { Run } from '../../../src/api/run.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
})
afterEach(async () => {
  await world.close()
})

describe('an operator that comes after another', () => {
  test('shows the artifacts of an action that ended after another one of its ActionSet had failed', async () => {
    const outputArtifacts = { o: { keyValue: { a: '{{ .Phases.p1.Output.out }}' } } }
    world.blueprint({
      good: { outputArtifacts, phases: [say('p1', 'kept')] },
      bad: { phases: [say('p1', 'x', { fail: 'no' })] },
    })
    await world.start()
    world.actionSet([onApp('good'), onApp('bad')])
    const { status } = await world.ended('failed')
    const [good, bad] = status?.actions ?? []
    expect(good?.artifacts).toEqual({ o: { keyValue: { a: 'kept' } } })

    // As the operator before left it: all phases had ended, the artifacts were not rendered yet.
    const before = { ...status, actions: [{ ...good, artifacts: outputArtifacts }, bad] }
    await world.close()
    world.api.put(ownKinds.actionSets, { ...world.read(), status: before } as Live<ActionSet>)
    await world.operator().ready

    await waitFor('the artifacts', () => world.read().status?.actions?.[0]?.artifacts?.['o']?.keyValue?.['a'] === 'kept')
  })

  test('does not let a Run begin that the other made after the ActionSet had been refused', async () => {
    world.blueprint({ backup: { phases: [say('p1', 'one')], deferPhase: say('def', 'unlock') } })
    const operator = world.operator()
    await operator.ready
    world.actionSet([onApp('backup')])
    const run = await waitFor('the Run', () => world.runOf(world.read()))
    await operator.close()
    world.queue.wipe()
    const refused = { state: 'failed', reason: 'Cancelled', error: { message: 'cancelled before it started' }, progress: {} }
    world.api.put(ownKinds.actionSets, { ...world.read(), status: refused } as unknown as Live<ActionSet>)

    await world.start()

    const ended = await waitFor('the end of the Run', () => {
      const now = world.api.read<Run>(ownKinds.runs, namespace, run.metadata.name)
      return now?.status.endedAt ? now : undefined
    })
    expect(ended.status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
    expect(world.read().status?.state).toBe('failed')
    expect(world.calls).toEqual([])
  })
})
