import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { kubeError } from '../../../src/kube/errors.ts'
import { EngineWorld, onApp, say } from '../../build/engine-world.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
})
afterEach(async () => {
  await world.close()
})

const lost = (): Error => kubeError('KUBE_EXEC_LOST', 'the connection to the command was lost: closed (1006)')

/** Its first so many calls lose their connection. */
function loseFirst(count: number, error = lost): void {
  let calls = 0
  world.onCall = () => {
    if (++calls <= count) throw error()
  }
}

describe('a phase whose connection to its command is lost, as when a kubelet is killed', () => {
  test('goes on as after a crash of the engine, in the same try', async () => {
    loseFirst(1)
    world.blueprint({ backup: { phases: [say('p', 'k')] } })
    await world.start()

    const actionSet = world.actionSet([onApp('backup')])

    await world.ended('complete')
    expect(world.calls).toEqual(['k', 'k'])
    expect(world.runOf(actionSet)?.status.actions['0']?.phases[0]).toMatchObject({ attempt: 2, round: 1 })
  })

  test('goes on when the server took the death of the kubelet for the end of the command', async () => {
    loseFirst(1, () => kubeError('KUBE_EXEC_OUTPUT_LOST', 'the end did not arrive', { details: { cut: true } }))
    world.blueprint({ backup: { phases: [say('p', 'k')] } })
    await world.start()

    world.actionSet([onApp('backup')])

    await world.ended('complete')
    expect(world.calls).toEqual(['k', 'k'])
  })

  test.each([
    ['its function cannot be repeated', say('p', 'k', {}, 'SayOnce')],
    ['its Blueprint says so', { ...say('p', 'k'), resume: 'refuse' as const }],
  ])('fails when %s', async (_why, phase) => {
    loseFirst(1)
    world.blueprint({ backup: { phases: [phase] } })
    await world.start()

    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')
    expect(status?.error?.message).toContain('the connection to the command was lost')
    expect(world.calls).toEqual(['k'])
  })

  test('fails when what was lost is the output of a process that was left behind', async () => {
    loseFirst(1, () => kubeError('KUBE_EXEC_OUTPUT_LOST', 'the command left a process behind'))
    world.blueprint({ backup: { phases: [say('p', 'k')] } })
    await world.start()

    world.actionSet([onApp('backup')])

    await world.ended('failed')
    expect(world.calls).toEqual(['k'])
  })
})
