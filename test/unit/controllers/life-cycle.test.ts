import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActionSetStatus } from '../../../src/api/actionset.ts'
import { buildRecord } from '../../../src/catalog/build-record.ts'
import type { BackupRecord } from '../../../src/catalog/record.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
})
afterEach(async () => {
  await world.close()
})

const states = (status: ActionSetStatus | undefined, index = 0): (string | undefined)[] =>
  (status?.actions?.[index]?.phases ?? []).map((phase) => phase.state)

const reasons = (): string[] => world.api.events.filter((event) => event.kind === 'ActionSet').map((event) => event.reason)

describe('an ActionSet', () => {
  test('runs its phases and the deferred one, and shows what Kanister shows', async () => {
    world.blueprint({
      backup: {
        outputArtifacts: { o: { keyValue: { a: '{{ .Phases.p2.Output.out }}', d: '{{ .DeferPhase.Output.out }}' } } },
        phases: [say('p1', '{{ .Namespace.Name }}'), say('p2', '{{ .Phases.p1.Output.out }}-2')],
        deferPhase: say('def', 'app-d'),
      },
    })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('complete')

    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    const done = { progressPercent: '100', lastTransitionTime: time }
    expect(status).toEqual({
      state: 'complete',
      actions: [
        {
          name: 'backup',
          object: { apiVersion: '', group: '', resource: '', kind: 'Namespace', name: 'app', namespace: 'app' },
          blueprint: 'bp',
          phases: [
            { name: 'p1', state: 'complete', output: { out: 'app' }, progress: done },
            { name: 'p2', state: 'complete', output: { out: 'app-2' }, progress: done },
          ],
          artifacts: { o: { keyValue: { a: 'app-2', d: 'app-d' } } },
          deferPhase: { name: 'def', state: 'complete', output: { out: 'app-d' }, progress: {} },
        },
      ],
      error: { message: '' },
      progress: { percentCompleted: '100', lastTransitionTime: time },
      warnings: [expect.stringMatching(/^not catalogued: the action names no Profile /)],
    })
    const told = world.api.events.map(({ reason, message }) => `${reason}: ${message}`)
    expect(told).toEqual([
      'Started Action: Executing action backup',
      'Started Phase: Executing phase p1',
      'Ended Phase: Completed phase p1',
      'Started Phase: Executing phase p2',
      'Ended Phase: Completed phase p2',
      'Started deferPhase: Executing deferPhase def',
      'Ended deferPhase: Completed deferPhase def',
      // About the ActionSet, and about its Blueprint.
      expect.stringMatching(/^Not catalogued: /),
      expect.stringMatching(/^Not catalogued: /),
      "Update Complete: Updated ActionSet 'as' Status->complete",
    ])
  })

  test('fails with the phase that fails; later phases stay pending, the deferred phase runs, templates stay', async () => {
    world.blueprint({
      backup: {
        outputArtifacts: { o: { keyValue: { a: '{{ .Phases.p1.Output.out }}' } } },
        phases: [say('p1', '1'), say('p2', '2', { fail: 'func failed' }), say('p3', '3')],
        deferPhase: say('def', 'd'),
      },
    })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(states(status)).toEqual(['complete', 'failed', 'pending'])
    expect(status?.actions?.[0]?.deferPhase?.state).toBe('complete')
    expect(status?.error?.message).toBe('func failed')
    expect(status?.progress).toEqual({ percentCompleted: '33', lastTransitionTime: expect.any(String) })
    expect(status?.actions?.[0]?.artifacts).toEqual({ o: { keyValue: { a: '{{ .Phases.p1.Output.out }}' } } })
    expect(world.calls).toEqual(['1', '2', 'd'])
    const warning = world.api.events.filter((event) => event.type === 'Warning')
    expect(warning.map(({ kind, reason }) => `${kind} ${reason}`)).toEqual([
      'ActionSet ActionSetFailed Action: backup',
      'Blueprint ActionSetFailed Action: backup',
    ])
  })

  test('fails with the error of the deferred phase when that fails', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')], deferPhase: say('def', 'd', { fail: 'cannot unlock' }) } })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(states(status)).toEqual(['complete'])
    expect(status?.actions?.[0]?.deferPhase?.state).toBe('failed')
    expect(status?.error?.message).toBe('cannot unlock')
  })

  test('fails, where Kanister stays running for ever, when an object of the deferred phase is missing', async () => {
    const objects = { s: { kind: 'Secret', name: 'nope', namespace: 'app' } }
    world.blueprint({ backup: { phases: [say('p1', '1')], deferPhase: { ...say('def', 'd'), objects } } })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(status?.actions?.[0]?.deferPhase?.state).toBe('failed')
    expect(status?.error?.message).toBe('secrets "nope" not found')
  })

  test('fails when an artifact cannot be rendered', async () => {
    world.blueprint({
      backup: { phases: [say('p1', '1')], outputArtifacts: { o: { keyValue: { a: '{{ .Options.nope }}' } } } },
    })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(states(status)).toEqual(['complete'])
    expect(status?.error?.message).toBe('Failed to render template: "nope" not found')
    expect(reasons()).toContain('ActionSetFailed Action: backup')
  })

  test.each([
    [
      'a Blueprint that is missing',
      { blueprint: 'nope' },
      'Failed to query blueprint: blueprints.cr.kanister.io "nope" not found; create it in namespace engine, or name another',
    ],
    ['no Blueprint', { blueprint: '' }, 'Blueprint is not specified for action'],
    [
      'an action that is missing',
      { name: 'nope' },
      'Action nope for object kind Namespace not found in blueprint bp; it has backup',
    ],
    [
      'a kind that needs more',
      { object: { kind: 'PersistentVolumeClaim', name: 'x', namespace: 'app' } },
      'Not a known object Kind PersistentVolumeClaim. Action backup must specify Resource name and API version: Validation Failed',
    ],
  ])('is refused with %s, shows no actions, and says why in an Event', async (_, change, message) => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await world.start()
    world.actionSet([{ ...onApp('backup'), ...change }])

    const { status } = await world.ended('failed')

    expect(status).toEqual({ state: 'failed', reason: 'Invalid', error: { message }, progress: {} })
    expect(world.api.events.some((event) => event.type === 'Warning' && event.message.includes(message))).toBe(true)
    expect(world.api.all(ownKinds.runs)).toEqual([])
  })

  test('fails its first phase when its object is missing, and no deferred phase runs', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1'), say('p2', '2')], deferPhase: say('def', 'd') } })
    await world.start()
    world.actionSet([{ ...onApp('backup'), object: { kind: 'Namespace', name: 'missing', namespace: 'missing' } }])

    const { status } = await world.ended('failed')

    expect(states(status)).toEqual(['failed', 'pending'])
    expect(status?.error?.message).toBe(
      'could not fetch object name: missing, namespace: , group: , version: v1, resource: namespaces: namespaces "missing" not found',
    )
    expect(world.calls).toEqual([])
  })

  test('without phases is complete, and has no percentage', async () => {
    world.blueprint({ backup: {} })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('complete')

    expect(status?.progress).toEqual({})
    expect(status?.actions?.[0]?.phases).toBeUndefined()
  })

  test('without actions is complete', async () => {
    await world.start()
    world.actionSet([])

    const { status } = await world.ended('complete')

    expect(status?.error).toEqual({ message: '' })
  })

  test('is refused before anything runs when an argument of a later phase is not known or missing', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1'), say('p2', '2', { zzz: 'x' }), { func: 'Say', name: 'p3' }] } })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(states(status)).toEqual(['failed', 'pending', 'pending'])
    expect(status?.error?.message).toContain('Checking supported args for function Say.: argument zzz is not supported')
    expect(status?.error?.message).toContain('Required args missing for function Say: Required arg missing: k')
    expect(world.calls).toEqual([])
  })

  test('is refused when a function is not known', async () => {
    world.blueprint({ backup: { phases: [{ func: 'Nope', name: 'p1', args: {} }] } })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(status?.error?.message).toContain('Requested function {Nope} has not been registered')
  })

  test('fails the phase whose Secret is missing', async () => {
    const objects = { s: { kind: 'Secret', name: 'nope', namespace: '{{ .Namespace.Name }}' } }
    world.blueprint({ backup: { phases: [{ ...say('p1', '1'), objects }] } })
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('failed')

    expect(states(status)).toEqual(['failed'])
    expect(status?.error?.message).toBe('secrets "nope" not found')
  })

  test('treats a null argument as absent', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1', { fail: null, hang: null })] } })
    await world.start()
    world.actionSet([onApp('backup')])

    await world.ended('complete')
  })

  test('runs two phases of one name with their own arguments', async () => {
    world.blueprint({ backup: { phases: [say('p', '1'), say('p', '2')] } })
    await world.start()
    world.actionSet([onApp('backup')])

    await world.ended('complete')

    expect(world.calls).toEqual(['1', '2'])
  })

  test('that came as running and is not ours fails, as Kanister left it or a restore brought it', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await world.start()
    const actions = [{ name: 'backup', blueprint: 'bp', object: {}, phases: [{ name: 'p1', state: 'running' }] }]
    world.actionSet([onApp('backup')], { status: { state: 'running', actions } })

    const { status } = await world.ended('failed').catch(() => world.read())

    expect(status?.state).toBe('failed')
    expect(status?.error?.message).toContain('not started by this engine')
    expect(world.calls).toEqual([])
  })

  test('that came as pending with its actions runs', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await world.start()
    const actions = [{ name: 'backup', blueprint: 'bp', object: {}, phases: [{ name: 'p1', state: 'pending' }] }]
    world.actionSet([onApp('backup')], { status: { state: 'pending', actions } })

    await world.ended('complete')

    expect(world.calls).toEqual(['1'])
  })

  test.each(['complete', 'failed'] as const)('that came as %s never runs', async (state) => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    world.actionSet([onApp('backup')], { status: { state, actions: [{ phases: [{ name: 'p1', state }] }] } })
    world.actionSet([onApp('backup')], {}, 'other')
    await world.start()

    await world.ended('complete', 'other')

    expect(world.calls).toEqual(['1'])
    expect(world.api.all(ownKinds.runs)).toHaveLength(1)
  })

  test('with an empty status is refused', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await world.start()
    world.actionSet([onApp('backup')], { status: {} })

    const { status } = await world.ended('failed')

    expect(status?.error?.message).toBe('Number of actions in status actions and spec must match: Validation Failed')
  })

  test('runs its actions side by side, each with its own phases; one that fails does not stop the other', async () => {
    world.blueprint({
      good: {
        phases: [say('p1', 'g1'), say('p2', 'g2')],
        outputArtifacts: { o: { keyValue: { a: '{{ .Phases.p1.Output.out }}' } } },
      },
      bad: { phases: [say('p1', 'b1', { fail: 'no' })] },
    })
    await world.start()
    world.actionSet([onApp('good'), onApp('bad')])

    const { status } = await world.ended('failed')

    expect(states(status, 0)).toEqual(['complete', 'complete'])
    expect(states(status, 1)).toEqual(['failed'])
    expect(status?.actions?.[0]?.artifacts).toEqual({ o: { keyValue: { a: 'g1' } } })
    expect(status?.error?.message).toBe('no')
  })

  test.each([
    ['says so', { spec: { executionMode: 'Sequential' as const } }],
    ['is annotated so', { annotations: { 'holdfast.dev/execution-mode': 'Sequential' } }],
    [
      'says so in the field, whatever its annotation says',
      { spec: { executionMode: 'Sequential' as const }, annotations: { 'holdfast.dev/execution-mode': 'Sideways' } },
    ],
  ])('runs its actions one after another when it %s, and does not begin those after a failure', async (_how, how) => {
    const { spec, annotations } = how as { spec?: { executionMode: 'Sequential' }; annotations?: Record<string, string> }
    world.blueprint({ good: { phases: [say('p1', 'g')] }, bad: { phases: [say('p1', 'b', { fail: 'no' })] } })
    await world.start()
    const actions = [onApp('good'), onApp('bad'), onApp('good')]
    world.api.put(ownKinds.actionSets, {
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'ActionSet',
      metadata: { name: 'as', namespace, ...(annotations ? { annotations } : {}) } as never,
      spec: { ...spec, actions },
    })

    const { status } = await world.ended('failed')

    expect(world.calls).toEqual(['g', 'b'])
    expect([0, 1, 2].map((index) => states(status, index)[0])).toEqual(['complete', 'failed', 'pending'])
    expect(status?.error?.message).toContain('an action before it in the sequence failed')
  })

  test('that is complete does nothing more when it is edited', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await world.start()
    world.actionSet([onApp('backup')])
    const done = await world.ended('complete')

    world.api.put(ownKinds.actionSets, { ...done, spec: { actions: [onApp('backup', { options: { a: 'b' } })] } })
    world.actionSet([onApp('backup')], {}, 'other')
    await world.ended('complete', 'other')

    expect(world.calls).toEqual(['1', '1'])
    expect(world.read().status).toEqual(done.status)
  })

  test('deleted and created anew under its name runs anew', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await world.start()
    world.actionSet([onApp('backup')])
    await world.ended('complete')

    world.api.remove(ownKinds.actionSets, namespace, 'as')
    world.actionSet([onApp('backup')])
    await world.ended('complete')

    expect(world.calls).toEqual(['1', '1'])
  })

  test('takes few writes: the Run, the start of its phase, its end, and the status', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await Promise.all([world.operator({ coalesceMs: 60_000 }).ready, world.worker().ready])
    world.actionSet([onApp('backup')])

    await world.ended('complete')

    expect(world.api.writes('runs')).toBe(3)
    expect(world.api.writes('actionsets')).toBe(1)
  })

  test('writes a record for a backup with a Profile, and only warns when that fails', async () => {
    world.api.put(ownKinds.profiles, {
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'Profile',
      metadata: { name: 'p', namespace } as never,
      location: { type: 's3Compliant', bucket: 'b' },
      credential: { type: 'keyPair', keyPair: { idField: 'i', secretField: 's', secret: { name: 'k', namespace } } },
    })
    world.api.put(
      { group: '', version: 'v1', resource: 'secrets' },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'k', namespace }, data: { i: 'aWQ=', s: 'c2VjcmV0' } },
    )
    world.blueprint({ backup: { phases: [say('p1', '1')], outputArtifacts: { o: { keyValue: { a: 'x' } } } } })
    world.writeRecord = async () => {
      throw new Error('bucket is gone')
    }
    await world.start()
    world.actionSet([onApp('backup', { profile: { name: 'p', namespace } })])

    const { status } = await world.ended('complete')

    expect(status?.warnings).toEqual(['not catalogued: bucket is gone'])
    expect(JSON.stringify(world.api.all(ownKinds.runs))).not.toContain('c2VjcmV0')
  })

  test('whose record lacks Secrets that were wanted is complete, catalogued, and warned of', async () => {
    const credential = { type: 'keyPair', keyPair: { idField: 'i', secretField: 's', secret: { name: 'k', namespace } } }
    const metadata = { name: 'p', namespace } as never
    const apiVersion = 'cr.kanister.io/v1alpha1'
    world.api.put(ownKinds.profiles, { apiVersion, kind: 'Profile', metadata, location: { bucket: 'b' }, credential })
    world.api.put(
      { group: '', version: 'v1', resource: 'secrets' },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'k', namespace }, data: { i: 'aWQ=', s: 'c2VjcmV0' } },
    )
    world.blueprint({ backup: { phases: [say('p1', '1')], outputArtifacts: { o: { keyValue: { a: 'x' } } } } })
    world.writeRecord = async (_backup, _signal, warn) => {
      warn('its record lacks Secrets: Secret pw: forbidden')
      return 'records/one.json'
    }
    await world.start()
    world.actionSet([onApp('backup', { profile: { name: 'p', namespace } })])

    const { status } = await world.ended('complete')

    expect(status).toMatchObject({ catalogued: true, warnings: ['its record lacks Secrets: Secret pw: forbidden'] })
  })

  test('that names no Profile has its record at the location of the engine’s own', async () => {
    world.api.put(ownKinds.profiles, {
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'Profile',
      metadata: { name: 'own', namespace: 'engine-room' } as never,
      location: { type: 's3Compliant', bucket: 'catalog' },
      credential: { type: 'keyPair', keyPair: { idField: 'i', secretField: 's', secret: { name: 'k', namespace } } },
    })
    world.api.put(
      { group: '', version: 'v1', resource: 'secrets' },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'k', namespace }, data: { i: 'aWQ=', s: 'c2VjcmV0' } },
    )
    world.blueprint({ backup: { phases: [say('p1', '1')], outputArtifacts: { o: { keyValue: { a: 'x' } } } } })
    world.defaultProfile = { name: 'own', namespace: 'engine-room' }
    const profiles: BackupRecord['profile'][] = []
    world.writeRecord = async (backup) => {
      profiles.push(buildRecord(backup, { installationId: 'i', engineVersion: '0' }).profile)
      return 'records/one.json'
    }
    await world.start()
    world.actionSet([onApp('backup')])

    const { status } = await world.ended('complete')

    expect(status?.warnings).toBeUndefined()
    expect(profiles).toMatchObject([{ name: 'own', namespace: 'engine-room', location: { bucket: 'catalog' } }])
  })

  test('keeps its state when its Run is removed, some time after the end', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    await Promise.all([world.operator({ keepRunsMs: 1_000 }).ready, world.worker().ready])
    world.actionSet([onApp('backup')])
    await world.ended('complete')

    await waitFor('the Run to be gone', () => world.api.all(ownKinds.runs).length === 0, { timeoutMs: 8_000 })
    world.actionSet([onApp('backup')], {}, 'other')
    await world.ended('complete', 'other')

    expect(world.calls).toEqual(['1', '1'])
    expect(world.read().status?.state).toBe('complete')
  })
})

describe('ten thousand finished ActionSets', () => {
  test('cost a start nothing but their list, and a new one runs', async () => {
    world.blueprint({ backup: { phases: [say('p1', '1')] } })
    const done = { state: 'complete', actions: [{ phases: [{ name: 'p1', state: 'complete' }] }] }
    for (let index = 0; index < 10_000; index++) world.actionSet([onApp('backup')], { status: done }, `done-${index}`)
    await world.start()
    world.api.requests.length = 0

    world.actionSet([onApp('backup')])
    await world.ended('complete')

    expect(world.calls).toEqual(['1'])
    // Leases are renewed and looked at as time passes, whatever there is to do.
    expect(world.api.requests.filter(({ resource }) => resource !== 'leases').length).toBeLessThan(40)
  })
})
