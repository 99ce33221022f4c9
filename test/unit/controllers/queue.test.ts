import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActionSpec, ActionSetStatus } from '../../../src/api/actionset.ts'
import type { RunAction } from '../../../src/api/run.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { queueError } from '../../../src/queue/errors.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

let world: EngineWorld
/** Calls wait here until they are let go, by their `k`; those not named go on at once. */
let gates: Map<string, () => void>
let open: boolean

beforeEach(() => {
  world = new EngineWorld()
  gates = new Map()
  open = false
  for (const name of ['app-a', 'app-b']) {
    world.api.put(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  world.blueprint({
    backup: { phases: [say('p', '{{ .Options.k }}')] },
    restore: { phases: [say('p', '{{ .Options.k }}')] },
    ask: { phases: [say('before', 'before'), { ...say('after', 'after'), suspend: true }], deferPhase: say('def', 'deferred') },
  })
  world.onCall = async ({ k }) => {
    if (!open && k.startsWith('wait')) await new Promise<void>((resolve) => gates.set(k, resolve))
  }
})

afterEach(async () => {
  letGo()
  await world.close()
})

function letGo(k?: string): void {
  if (k === undefined) open = true
  for (const [key, go] of gates) {
    if (k !== undefined && key !== k) continue
    gates.delete(key)
    go()
  }
}

const on = (app: string, k: string, action = 'backup', more: Partial<ActionSpec> = {}): ActionSpec[] => [
  onApp(action, { object: { kind: 'Namespace', name: app, namespace: app }, options: { k }, ...more }),
]

const called = async (k: string): Promise<unknown> => await waitFor(`call ${k}`, () => world.calls.includes(k) || undefined)

const statusOf = (name: string): ActionSetStatus | undefined => world.read(name).status

function ask(actions: ActionSpec[], name: string, spec: object = {}, metadata: object = {}): void {
  world.actionSet(actions, { spec: { actions, ...spec }, metadata: { name, namespace, ...metadata } }, name)
}

async function waiting(name: string, what: string): Promise<NonNullable<ActionSetStatus['waiting']>> {
  return await waitFor(`${name} to wait for ${what}`, () => {
    const found = statusOf(name)?.waiting
    return found?.for === what ? found : undefined
  })
}

describe('a queue that is away', () => {
  test('keeps no ActionSet from showing what it waits for', async () => {
    world.queue.add = () => Promise.reject(queueError('QUEUE_UNAVAILABLE', 'Redis does not take new jobs'))
    await world.operator().ready
    ask(on('app-a', 'a'), 'a')

    expect(await waiting('a', 'Queue')).toMatchObject({ for: 'Queue' })
  })
})

describe('the queue', () => {
  test('lets the one ActionSet of a namespace begin before the many of another', async () => {
    await world.operator({ window: 8 }).ready
    for (let index = 0; index < 150; index++) ask(on('app-a', `a${index}`), `a${index}`)
    await waitFor('all to have Runs', () => world.api.all(ownKinds.runs).length === 150 || undefined)
    ask(on('app-b', 'b'), 'b')
    await waitFor('it has a Run too', () => world.api.all(ownKinds.runs).length === 151 || undefined)

    await world.worker('w', '1', { concurrency: 2 }).ready
    await called('b')

    // Those that began before, and at most those that were in work or in the queue when it came.
    expect(world.calls.indexOf('b')).toBeLessThan(12)
    await waitFor('the rest', () => world.calls.length === 151 || undefined, { timeoutMs: 20_000 })
  })

  test('lets a restore overtake what a Schedule made', async () => {
    const added = new Set<string>()
    const add = world.queue.add.bind(world.queue)
    world.queue.add = async (id, job, options) => {
      await add(id, job, options)
      added.add(job.runName)
    }
    await world.operator({ window: 4 }).ready
    await world.worker('w', '1', { concurrency: 1 }).ready
    ask(on('app-a', 'wait'), 'first')
    await called('wait')
    for (let index = 0; index < 20; index++) {
      ask(on('app-a', `s${index}`), `s${index}`, { serialize: 'None' }, { labels: { 'holdfast.dev/schedule': 'nightly' } })
    }
    ask(on('app-a', 'restore', 'restore', { artifacts: { dump: { keyValue: { a: 'b' } } } }), 'restore')
    const run = await waitFor('the Run', () => world.runOf(world.read('restore')))
    await waitFor('its job', () => added.has(run.metadata.name) || undefined)

    letGo()
    await world.ended('complete', 's19')

    expect(world.calls.indexOf('restore')).toBeLessThanOrEqual(2)
  })

  test('shows who holds the object, and begins when it has ended', async () => {
    await world.start()
    ask(on('app-a', 'wait-1'), 'one', { serialize: 'Object' })
    await called('wait-1')
    ask(on('app-a', '2'), 'two', {}, { annotations: { 'holdfast.dev/serialize': 'Object' } })
    ask(on('app-a', 'plain'), 'plain')
    ask(on('app-b', 'other'), 'other', { serialize: 'Object' })

    const shown = await waiting('two', 'Object')
    await world.ended('complete', 'plain')
    await world.ended('complete', 'other')

    expect(shown).toMatchObject({ holder: `${namespace}/one`, message: expect.stringContaining(`${namespace}/one`) })
    expect(world.calls).not.toContain('2')
    letGo()
    const { status } = await world.ended('complete', 'two')
    expect(status).not.toHaveProperty('waiting')
  })

  test('lets the actions of one ActionSet go side by side on its object', async () => {
    await world.start()
    const actions = [...on('app-a', 'wait-1'), ...on('app-a', 'wait-2')]
    ask(actions, 'both', { serialize: 'Object' })

    await called('wait-1')
    await called('wait-2')

    letGo()
    await world.ended('complete', 'both')
  })

  test('serialises what a Schedule made unless it says otherwise', async () => {
    await world.start()
    ask(on('app-a', 'wait-1'), 'one', {}, { labels: { 'holdfast.dev/schedule': 'nightly' } })
    await called('wait-1')
    ask(on('app-a', '2'), 'two', {}, { labels: { 'holdfast.dev/schedule': 'nightly' } })

    await waiting('two', 'Object')

    expect(world.calls).toEqual(['wait-1'])
  })

  test('ends what waited too long, with the reason', async () => {
    await world.start()
    ask(on('app-a', 'wait-1'), 'one', { serialize: 'Object' })
    await called('wait-1')
    ask(on('app-a', '2'), 'two', { serialize: 'Object', queueTimeout: '1s' })

    const { status } = await world.ended('failed', 'two')

    expect(status?.error?.message).toBe(
      `it waited longer than its queueTimeout of 1s: ActionSet ${namespace}/one works on the same object; ` +
        'create it again, or give it more time',
    )
    expect(world.calls).toEqual(['wait-1'])
  })

  test('ends nothing for its wait when another action of it has begun, although the watch has not shown it', async () => {
    await world.operator().ready
    ask([...on('app-a', 'first'), ...on('app-a', 'second')], 'as', { queueTimeout: '1s' })
    const run = await waitFor('the Run', () => world.runOf(world.read()))
    world.api.watchFault = ({ resource }) => (resource === 'runs' ? 'lose' : undefined)
    const second = run.status.actions['1'] as RunAction
    const begun = { ...second, fence: { owner: 'w', instance: '1', attempt: 1 }, state: 'running' as const, launched: true }
    world.api.put(ownKinds.runs, { ...run, status: { ...run.status, actions: { ...run.status.actions, '1': begun } } })

    await waitFor('the operator to have tried', () =>
      world.api.requests.some(
        ({ verb, patch }) => verb === 'patch' && patch?.some(({ path }) => path.startsWith('/status/actions')),
      ),
    )

    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(world.runOf(world.read())?.status.actions['0']).toMatchObject({ state: 'pending' })
    world.api.watchFault = () => undefined
  })

  test('keeps a namespace below its limit', async () => {
    await Promise.all([world.operator({ perNamespace: 2 }).ready, world.worker().ready])
    for (const k of ['wait-1', 'wait-2', 'wait-3']) ask(on('app-a', k), k)
    ask(on('app-b', 'other'), 'other')

    await waitFor('two to run', () => world.calls.filter((k) => k.startsWith('wait')).length === 2 || undefined)
    await world.ended('complete', 'other')
    const last = ['wait-1', 'wait-2', 'wait-3'].find((k) => !world.calls.includes(k)) ?? ''
    await waiting(last, 'Namespace')
    letGo(world.calls.find((k) => k.startsWith('wait')))
    await called(last)

    expect(world.calls).toHaveLength(4)
  })

  test('asks nothing more of the API server for an ActionSet that need not wait', async () => {
    await world.start()
    ask(on('app-a', 'first'), 'first')
    await world.ended('complete', 'first')
    world.api.requests.length = 0
    ask(on('app-a', 'k'), 'as')
    await world.ended('complete', 'as')

    const ofRuns = world.api.requests.filter(({ resource }) => resource === 'runs').map(({ verb }) => verb)

    expect(ofRuns.toSorted()).toEqual(['create', 'get', 'patch', 'patch'])
    expect(world.api.requests.filter(({ resource }) => resource === 'runs' || resource === 'actionsets').length).toBeLessThan(
      10,
    )
  })

  test('does not write the status of a crowd that waits again and again', async () => {
    await world.operator({ sweepMs: 50 }).ready
    await world.worker('w', '1', { concurrency: 1 }).ready
    ask(on('app-a', 'wait'), 'first')
    await called('wait')
    for (let index = 0; index < 100; index++) ask(on('app-a', `k${index}`), `k${index}`)
    await waitFor(
      'statuses',
      () =>
        Array.from({ length: 100 }, (_, index) => statusOf(`k${index}`)?.state).every((state) => state === 'pending') ||
        undefined,
    )
    world.api.requests.length = 0

    await new Promise((resolve) => setTimeout(resolve, 1_000))

    expect(world.api.writes('actionsets')).toBeLessThanOrEqual(20)
    const shown = Array.from({ length: 100 }, (_, index) => statusOf(`k${index}`)?.waiting?.position ?? 0)
    expect(shown.filter((position) => position > 0).length).toBeLessThanOrEqual(20)
  })

  test('never lets two begin on one object, whatever two operators at a time decide', async () => {
    await Promise.all([
      world.operator({ sweepMs: 50 }).ready,
      world.operator({ sweepMs: 70 }).ready,
      world.worker('v').ready,
      world.worker('w').ready,
    ])
    let now = 0
    let most = 0
    world.onCall = async () => {
      most = Math.max(most, ++now)
      await new Promise((resolve) => setTimeout(resolve, 5))
      now--
    }
    for (let index = 0; index < 12; index++) ask(on('app-a', `k${index}`), `k${index}`, { serialize: 'Object' })

    for (let index = 0; index < 12; index++) await world.ended('complete', `k${index}`)

    expect(most).toBe(1)
    expect(world.calls.toSorted()).toEqual(Array.from({ length: 12 }, (_, index) => `k${index}`).toSorted())
  })

  test('does not let one begin that an operator let in by mistake: the worker looks once more', async () => {
    await Promise.all([world.operator({ sweepMs: 60_000 }).ready, world.worker().ready])
    ask(on('app-a', 'wait-1'), 'one', { serialize: 'Object' })
    await called('wait-1')
    ask(on('app-a', '2'), 'two', { serialize: 'Object' })
    await waiting('two', 'Object')
    const held = await waitFor('its Run', () => world.runOf(world.read('two')))

    const { held: _mark, ...status } = held.status
    world.api.put(ownKinds.runs, { ...held, status })
    const job = { namespace, runName: held.metadata.name, actionIndex: 0, dispatch: 1 }
    await world.queue.add('by-mistake', job)
    await waitFor('the worker to step back', () => {
      const { fence } = world.runOf(world.read('two'))?.status.actions['0'] ?? {}
      return (fence?.owner === '' && fence.attempt >= 2) || undefined
    })

    expect(world.calls).toEqual(['wait-1'])
    letGo()
    await world.ended('complete', 'two')
  })

  test.each([
    ['priority', { priority: 'high' }, 'priority "high" is no whole number from -1000 to 1000'],
    ['priority out of bounds', { priority: '5000' }, 'priority "5000" is no whole number from -1000 to 1000'],
    ['serialize', { serialize: 'Yes' }, 'serialize "Yes" is none of Object, None'],
    ['queueTimeout', { 'queue-timeout': 'soon' }, 'queueTimeout "soon" is no duration; write it as 30m or 1h30m'],
    ['ttlAfterFinished', { 'ttl-after-finished': '3d' }, 'ttlAfterFinished "3d" is no duration; write it as 30m or 1h30m'],
    [
      'executionMode',
      { 'execution-mode': 'sequential' },
      'annotation holdfast.dev/execution-mode "sequential" is none of Parallel, Sequential',
    ],
  ])('refuses only the ActionSet with a wrong %s', async (_what, fields, message) => {
    await world.start()
    const annotations = Object.fromEntries(Object.entries(fields).map(([name, value]) => [`holdfast.dev/${name}`, value]))
    ask(on('app-a', 'wrong'), 'wrong', {}, { annotations })
    ask(on('app-a', 'right'), 'right')

    const { status } = await world.ended('failed', 'wrong')
    await world.ended('complete', 'right')

    expect(status).toMatchObject({ reason: 'Invalid', error: { message: `${message}: Validation Failed` } })
    expect(world.runOf(world.read('wrong'))).toBeUndefined()
  })
})

describe('a phase that waits for approval', () => {
  const asking = (annotations: object = {}): void => ask([onApp('ask')], 'as', {}, { annotations })

  const annotate = (annotations: Record<string, string>): void => {
    const now = world.read()
    world.api.put(ownKinds.actionSets, { ...now, metadata: { ...now.metadata, annotations } })
  }

  test('shows it, takes no worker, and goes on when it is approved', async () => {
    await Promise.all([world.operator().ready, world.worker('w', '1', { concurrency: 1 }).ready])
    asking()

    const shown = await waiting('as', 'Approval')
    ask(on('app-a', 'meanwhile'), 'meanwhile')
    await world.ended('complete', 'meanwhile')
    annotate({ 'holdfast.dev/approve': 'after' })
    const { status } = await world.ended('complete')

    expect(shown).toMatchObject({ phase: 'after', message: expect.stringContaining('holdfast approve as --phase after') })
    expect(world.calls).toEqual(['before', 'meanwhile', 'after', 'deferred'])
    expect(status).not.toHaveProperty('waiting')
  })

  test('goes on with an engine that was started anew meanwhile', async () => {
    const [operator, worker] = [{ dead: false }, { dead: false }]
    await Promise.all([world.operator({}, operator).ready, world.worker('w', '1', {}, worker).ready])
    asking()
    await waiting('as', 'Approval')
    operator.dead = true
    worker.dead = true

    await Promise.all([world.operator().ready, world.worker('w', '2').ready])
    annotate({ 'holdfast.dev/approve': 'true' })
    await world.ended('complete')

    expect(world.calls).toEqual(['before', 'after', 'deferred'])
  })

  test('may be approved beforehand, and not by the name of another phase', async () => {
    await world.start()
    asking({ 'holdfast.dev/approve': 'before' })
    await waiting('as', 'Approval')
    expect(world.calls).toEqual(['before'])
    annotate({ 'holdfast.dev/approve': 'before,after' })

    await world.ended('complete')
  })

  test('ends on cancel, after the deferred phase', async () => {
    await world.start()
    asking()
    await waiting('as', 'Approval')
    annotate({ 'holdfast.dev/cancel': 'true' })

    const { status } = await world.ended('failed')

    expect(status?.reason).toBe('Cancelled')
    expect(world.calls).toEqual(['before', 'deferred'])
  })

  test('ends when its ActionSet is deleted, after the deferred phase', async () => {
    await world.start()
    asking()
    await waiting('as', 'Approval')
    world.api.remove(ownKinds.actionSets, namespace, 'as')

    await called('deferred')

    expect(world.calls).toEqual(['before', 'deferred'])
  })

  test('may be named by an annotation of the Blueprint; one that it does not have is a mistake', async () => {
    await world.start()
    const phases = [say('one', '1'), say('two', '2')]
    const named = (suspend: string, name: string): void => {
      const metadata = { name, namespace, annotations: { 'holdfast.dev/suspend': suspend } }
      world.api.put(ownKinds.blueprints, {
        apiVersion: 'cr.kanister.io/v1alpha1',
        kind: 'Blueprint',
        metadata,
        actions: { go: { phases } },
      } as never)
    }
    named('go/two', 'marked')
    named('go/three', 'wrong')
    ask([onApp('go', { blueprint: 'marked' })], 'as')
    ask([onApp('go', { blueprint: 'wrong' })], 'bad')

    expect((await waiting('as', 'Approval')).phase).toBe('two')
    const { status } = await world.ended('failed', 'bad')
    expect(status?.error?.message).toContain('names phase go/three, which does not exist')
  })
})
