import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { BlueprintPhase } from '../../../src/api/blueprint.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
})
afterEach(async () => {
  world.api.watchFault = () => undefined
  await world.close()
})

/** The same numbers at each run. */
function random(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}

describe('watch events', () => {
  test.each([1, 2, 3])('that are dropped or come twice change nothing (seed %i)', async (seed) => {
    const next = random(seed)
    world.api.watchFault = () => {
      const dice = next()
      return dice < 0.3 ? 'drop' : dice < 0.6 ? 'twice' : undefined
    }
    world.blueprint({
      backup: { phases: [say('p', '{{ .Options.k }}')], deferPhase: say('d', '{{ .Options.k }}-d') },
      ask: { phases: [{ ...say('p', '{{ .Options.k }}'), suspend: true }], deferPhase: say('d', '{{ .Options.k }}-d') },
    })
    await world.start()

    const names = Array.from({ length: 12 }, (_, index) => `as-${index}`)
    for (const [index, name] of names.entries()) {
      const annotations = {
        ...(index % 3 === 0 ? { 'holdfast.dev/serialize': 'Object' } : {}),
        ...(index % 4 === 0 ? { 'holdfast.dev/approve': 'true' } : {}),
      }
      const action = index % 4 === 0 ? 'ask' : 'backup'
      world.actionSet([onApp(action, { options: { k: name } })], { metadata: { name, namespace, annotations } }, name)
    }
    for (const name of names) await world.ended('complete', name)

    expect(world.calls.toSorted()).toEqual(names.flatMap((name) => [name, `${name}-d`]).toSorted())
  })
})

describe('what would break an engine', () => {
  const circle: Record<string, unknown> = {}
  circle['self'] = circle

  /** As a server does. */
  const refuseLargeOnes = (): void => void (world.api.maxBytes = 1_500_000)

  const phases = (...list: BlueprintPhase[]): { phases: BlueprintPhase[] } => ({ phases: list })
  const mega = 'x'.repeat(1_000_000)

  test.each([
    ['options of 1 MB', { options: { k: 'k', big: mega } }, {}, /more than the 900000 that a Run can keep/],
    [
      'a Blueprint of 1 MB',
      {},
      { outputArtifacts: { o: { keyValue: { a: mega } } } },
      /more than the 900000 that a Run can keep/,
    ],
    [
      'artifacts that repeat an output for ever',
      { options: { k: 'x'.repeat(100_000) } },
      {
        outputArtifacts: {
          o: {
            keyValue: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`a${index}`, '{{ .Phases.p.Output.out }}'])),
          },
        },
      },
      /with the artifacts of this action .* more than the 1200000/,
    ],
    ['no phases but null', {}, { phases: [null] }, /cannot be read/],
    ['an argument that is a number', {}, phases({ func: 'Say', name: 'p', args: 7 }), /must be a map of names to values/],
    [
      'arguments within arguments',
      {},
      phases({ func: 'Say', name: 'p', args: { k: { deep: [1, { deeper: null }] } } }),
      /arg `k`/,
    ],
  ])('%s fails itself only, with a clear message', async (_what, action, blueprint, message) => {
    refuseLargeOnes()
    const base = { phases: [say('p', '{{ .Options.k }}')] }
    world.blueprint({ backup: { ...base, ...blueprint } as never }, 'poison')
    world.blueprint({ backup: base })
    await world.start()
    world.actionSet([onApp('backup', { options: { k: 'k' }, ...action, blueprint: 'poison' })], {}, 'poison')
    world.actionSet([onApp('backup', { options: { k: 'good' } })], {}, 'good')

    const { status } = await world.ended('failed', 'poison')
    await world.ended('complete', 'good')

    expect(status?.error?.message).toMatch(message)
  })

  test('a Secret or ConfigMap of 1 MB fails the launch, with a clear message', async () => {
    refuseLargeOnes()
    world.blueprint({ backup: phases(say('p', 'k')) })
    await world.start()
    world.api.put(
      { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true } as never,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big', namespace: 'app' }, data: { mega } } as never,
    )
    world.actionSet([onApp('backup', { configMaps: { big: { kind: 'ConfigMap', name: 'big', namespace: 'app' } } })])

    const { status } = await world.ended('failed')

    expect(status?.error?.message).toMatch(/the object and ConfigMaps of this action are \d+ bytes/)
    expect(world.calls).toEqual([])
  })

  test('many actions that are too large together fail one by one, and none is tried for ever', async () => {
    refuseLargeOnes()
    world.blueprint({ backup: phases(say('p', '{{ .Options.k }}')) })
    await Promise.all([world.operator().ready, world.worker('w', '1', { concurrency: 8 }).ready])
    world.actionSet(Array.from({ length: 4 }, (_, index) => onApp('backup', { options: { k: `${index}`.repeat(200_000) } })))

    const { status } = await world.ended('failed')

    expect(status?.error?.message).toMatch(/bytes, more than the/)
    const states = (status?.actions ?? []).map((each) => each.phases?.[0]?.state)
    expect(states.filter((state) => state === 'complete').length).toBeGreaterThan(0)
  })

  test('outputs in a circle, checkpoints in a circle, and a warning of 1 MB fail their phase or are cut', async () => {
    refuseLargeOnes()
    world.blueprint({ backup: phases(say('p', 'k')) })
    world.onCall = async ({ ctx }) => {
      await ctx.checkpoint(circle)
    }
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(status?.error?.message).toMatch(/a checkpoint is no JSON/)
    expect(world.api.all(ownKinds.runs)).toHaveLength(1)
  })
})
