import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../src/api/actionset.ts'
import { remainsOf } from '../../../src/controllers/actionset/remains.ts'
import { decideRemovals, type Remains, type RemovalPolicy } from '../../../src/controllers/actionset/removal.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

const hour = 3_600_000

const ended = (key: string, more: Partial<Remains> = {}): { readonly key: string; readonly remains: Remains } => ({
  key,
  remains: { state: 'complete', endedMs: 0, blueprint: 'bp', record: 'none', ...more },
})

const removed = (list: readonly ReturnType<typeof ended>[], policy: RemovalPolicy = {}, nowMs = 10 * hour): string[] =>
  decideRemovals(list, policy, nowMs).map(({ key }) => key)

describe('what may go', () => {
  test('is nothing unless somebody asks', () => {
    expect(removed([ended('a'), ended('b', { state: 'failed' })])).toEqual([])
  })

  test('goes when its own time is over, or else that of the engine', () => {
    const list = [ended('own', { ttlMs: hour }), ended('long', { ttlMs: 100 * hour }), ended('plain')]

    expect(removed(list)).toEqual(['own'])
    expect(removed(list, { ttlMs: 2 * hour })).toEqual(['own', 'plain'])
    expect(removed(list, { ttlMs: 20 * hour })).toEqual(['own'])
  })

  test('is never the only record of a backup', () => {
    const list = [ended('only', { record: 'only', ttlMs: 0 })]

    expect(removed(list, { ttlMs: 0, keepComplete: 0, keepFailed: 0 })).toEqual([])
  })

  test('goes by the time since it came when it was imported, not since a backup of long ago', () => {
    const progress = { lastTransitionTime: '2020-01-01T00:00:00Z' }
    const of = (labels: Record<string, string>): number =>
      remainsOf({
        metadata: { name: 'b', namespace, uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z', labels },
        status: { state: 'complete', progress },
      } as unknown as Live<ActionSet>).endedMs

    expect(new Date(of({})).getUTCFullYear()).toBe(2020)
    expect(new Date(of({ 'holdfast.dev/imported': 'true' })).getUTCFullYear()).toBe(2026)
  })

  test('keeps the latest of each Blueprint and state', () => {
    const list = [1, 2, 3].flatMap((at) => [
      ended(`c${at}`, { endedMs: at }),
      ended(`f${at}`, { endedMs: at, state: 'failed' }),
      ended(`o${at}`, { endedMs: at, blueprint: 'other' }),
    ])

    expect(removed(list, { keepComplete: 1 })).toEqual(['c2', 'o2', 'c1', 'o1'])
    expect(removed(list, { keepFailed: 2 })).toEqual(['f1'])
  })

  test('a history limit leaves backups alone, for a restore from them', () => {
    expect(removed([ended('backup', { record: 'catalogued' }), ended('none')], { keepComplete: 0 })).toEqual(['none'])
    expect(removed([ended('backup', { record: 'catalogued' })], { ttlMs: hour })).toEqual(['backup'])
  })
})

describe('an engine', () => {
  let world: EngineWorld
  beforeEach(() => {
    world = new EngineWorld()
    world.blueprint({
      backup: { phases: [say('p', 'k')], outputArtifacts: { dump: { keyValue: { a: 'b' } } } },
      check: { phases: [say('p', 'k')] },
    })
  })
  afterEach(async () => {
    await world.close()
  })

  const profile = { profile: { name: 'bucket', namespace } }
  const names = (): string[] => world.api.all(ownKinds.actionSets).map(({ metadata }) => metadata.name)

  test('removes what has lived long enough, and keeps what alone knows of a backup', async () => {
    await Promise.all([world.operator({ removal: { ttlMs: 0 }, tidyMs: 50 }).ready, world.worker().ready])
    world.actionSet([onApp('backup')], {}, 'backup')
    await world.ended('complete', 'backup')
    world.actionSet([onApp('check')], {}, 'check')

    await waitFor('the other to go', () => !names().includes('check') || undefined)

    expect(names()).toEqual(['backup'])
    expect(world.calls).toEqual(['k', 'k'])
  })

  test('removes what asks for it only', async () => {
    await Promise.all([world.operator({ tidyMs: 50 }).ready, world.worker().ready])
    const metadata = { name: 'short', namespace, annotations: { 'holdfast.dev/ttl-after-finished': '0' } }
    world.actionSet([onApp('check')], {}, 'kept')
    await world.ended('complete', 'kept')
    world.actionSet([onApp('check')], { metadata }, 'short')

    await waitFor('it to go', () => !names().includes('short') || undefined)

    expect(names()).toEqual(['kept'])
  })

  test('does not take a backup of a Kanister for one that is catalogued', async () => {
    const status = { state: 'complete', actions: [{ name: 'backup', artifacts: { dump: { keyValue: { a: 'b' } } } }] }
    const foreign = { metadata: { name: 'foreign', namespace }, spec: { actions: [onApp('backup', profile)] }, status }
    world.api.put(ownKinds.actionSets, {
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'ActionSet',
      ...foreign,
    } as unknown as ActionSet)
    await Promise.all([world.operator({ removal: { ttlMs: 0, keepComplete: 0 }, tidyMs: 50 }).ready, world.worker().ready])
    world.actionSet([onApp('check')], {}, 'check')

    await waitFor('the other to go', () => !names().includes('check') || undefined)

    expect(names()).toEqual(['foreign'])
  })
})
