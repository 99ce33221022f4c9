import { describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../../src/api/actionset.ts'
import type { Schedule, ScheduledObject, ScheduleSpec } from '../../../../src/api/schedule.ts'
import { decide, mostObjects, statusOf, type Decision } from '../../../../src/controllers/schedule/decide.ts'
import { targetsOf, type Candidate } from '../../../../src/controllers/schedule/targets.ts'

const at = (text: string): number => Date.parse(`2026-05-01T${text}Z`)
const shop: Candidate = { kind: 'StatefulSet', namespace: 'shop', name: 'db', labels: { app: 'db' }, replicas: 1 }
const key = 'shop/statefulset/db'

function schedule(spec: Partial<ScheduleSpec>, objects?: Record<string, ScheduledObject>): Schedule {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Schedule',
    metadata: { name: 'hourly', namespace: 'holdfast', uid: 'u', resourceVersion: '1', generation: 3 },
    spec: {
      cron: '0 * * * *',
      action: { blueprint: 'postgres', profile: { name: 'bucket', namespace: 'holdfast' } },
      selector: { kinds: ['StatefulSet'] },
      ...spec,
    },
    ...(objects ? { status: { objects } } : {}),
  }
}

function look(
  of: Schedule,
  now: number,
  actionSets: readonly ActionSet[] = [],
  candidates: readonly Candidate[] = [shop],
): Decision {
  return decide({
    schedule: of,
    targets: targetsOf(of, candidates, 'holdfast'),
    findActionSet: (name) => actionSets.find(({ metadata }) => metadata.name === name),
    findNewest: () => undefined,
    now,
  })
}

describe('an object that appears', () => {
  test('waits for its next slot', () => {
    const { turns, next } = look(schedule({}), at('00:30:00'))
    expect(turns[0]?.create).toBeUndefined()
    expect(turns[0]?.after).toEqual({
      since: '2026-05-01T00:30:00Z',
      handled: '2026-05-01T00:30:00Z',
      next: '2026-05-01T01:00:00Z',
    })
    expect(next).toBe(at('01:00:00'))
  })

  test('gets an ActionSet at that slot, with a derived name, the labels and what the Schedule says', () => {
    const known = { since: '2026-05-01T00:30:00Z', handled: '2026-05-01T00:30:00Z' }
    const [turn] = look(schedule({}, { [key]: known }), at('01:00:00')).turns
    expect(turn?.create).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^hourly-[0-9a-f]{8}-20260501t010000z$/),
        namespace: 'holdfast',
        labels: { 'holdfast.dev/schedule': 'hourly' },
        annotations: { 'holdfast.dev/slot': '2026-05-01T01:00:00Z', 'holdfast.dev/scheduled-object': key },
      },
      spec: {
        actions: [
          {
            name: 'backup',
            blueprint: 'postgres',
            object: { kind: 'statefulset', name: 'db', namespace: 'shop' },
            profile: { name: 'bucket', namespace: 'holdfast' },
          },
        ],
      },
    })
    expect(turn?.after).toMatchObject({
      handled: '2026-05-01T01:00:00Z',
      last: { state: 'pending' },
      next: '2026-05-01T02:00:00Z',
    })
  })
})

describe('the last run', () => {
  const last = { actionSet: 'hourly-x', slot: '2026-05-01T01:00:00Z', state: 'running' }
  const known = { since: '2026-05-01T00:00:00Z', handled: '2026-05-01T01:00:00Z', last }
  const actionSet = (state: string, message?: string): ActionSet => ({
    apiVersion: '',
    kind: 'ActionSet',
    metadata: {
      name: 'hourly-x',
      namespace: 'holdfast',
      uid: 'a',
      resourceVersion: '1',
      creationTimestamp: '2026-05-01T01:00:02Z',
    },
    status: { state, ...(message === undefined ? {} : { error: { message } }) },
  })

  test('that goes on keeps the next one from starting, and that is counted and said', () => {
    const [turn] = look(schedule({}, { [key]: known }), at('02:00:00'), [actionSet('running')]).turns
    expect(turn?.create).toBeUndefined()
    expect(turn?.after.skipped).toEqual({ count: 1, at: '2026-05-01T02:00:00Z', why: 'the run before it has not ended' })
  })

  test('is cancelled first when the Schedule says Replace', () => {
    const [turn] = look(schedule({ concurrencyPolicy: 'Replace' }, { [key]: known }), at('02:00:00'), [
      actionSet('running'),
    ]).turns
    expect(turn?.cancel).toEqual(['hourly-x'])
    expect(turn?.create).toBeDefined()
  })

  test('that ended well is the last success, and ends an earlier failure', () => {
    const failed = { ...known, lastFailure: { at: '2026-04-30T00:00:00Z', actionSet: 'y', message: 'disk' } }
    const [turn] = look(schedule({}, { [key]: failed }), at('01:10:00'), [actionSet('complete')]).turns
    expect(turn?.after.lastSuccess).toBe('2026-05-01T01:00:02Z')
    expect(turn?.after.lastFailure).toBeUndefined()
  })

  test('that failed stays in sight beside the last success', () => {
    const once = { ...known, lastSuccess: '2026-04-30T23:00:00Z' }
    const [turn] = look(schedule({}, { [key]: once }), at('01:10:00'), [actionSet('failed', 'pg_dump: no space')]).turns
    expect(turn?.after).toMatchObject({ lastSuccess: '2026-04-30T23:00:00Z', lastFailure: { message: 'pg_dump: no space' } })
  })

  test('whose ActionSet was removed before it ended is a failure, and does not hold up the next', () => {
    const [turn] = look(schedule({}, { [key]: known }), at('02:00:00')).turns
    expect(turn?.after.lastFailure?.message).toContain('removed before it ended')
    expect(turn?.create).toBeDefined()
  })
})

describe('nothing starts', () => {
  const known = { since: '2026-05-01T00:00:00Z', handled: '2026-05-01T00:00:00Z' }

  test('while the Schedule is suspended, and nothing is made up for afterwards', () => {
    const held = look(schedule({ suspend: true }, { [key]: known }), at('03:00:00'))
    expect(held.turns[0]?.create).toBeUndefined()
    expect(held.next).toBe(at('04:00:00'))
    const after = held.turns[0]?.after as ScheduledObject
    expect(after.next).toBeUndefined()
    expect(look(schedule({}, { [key]: after }), at('03:10:00')).turns[0]?.create).toBeUndefined()
  })

  test('for a workload that is scaled to zero, unless the Schedule wants it', () => {
    const asleep = { ...shop, replicas: 0 }
    const [turn] = look(schedule({}, { [key]: known }), at('01:00:00'), [], [asleep]).turns
    expect(turn?.after.skipped?.why).toBe('it is scaled to zero')
    expect(
      look(schedule({ scaledToZero: 'Run' }, { [key]: known }), at('01:00:00'), [], [asleep]).turns[0]?.create,
    ).toBeDefined()
  })

  test.each([
    [{ cron: '99 * * * *' }, 'minute: 99'],
    [{ timeZone: 'Mars/Olympus' }, 'Mars/Olympus'],
    [{ spread: 'soon' }, 'spread "soon"'],
    [{ action: {} }, 'action.blueprint is not set'],
  ])('when the spec is wrong, and status says why: %j', (spec, why) => {
    const of = schedule(spec, { [key]: known })
    const decision = look(of, at('05:00:00'))
    expect(decision.turns).toEqual([])
    const status = statusOf(of, decision)
    expect(status.message).toContain(why)
    expect(status.objects).toEqual({ [key]: known })
  })

  test('when more objects are under it than a status holds', () => {
    const many = Array.from({ length: mostObjects + 1 }, (_, index) => ({ ...shop, name: `db-${index}` }))
    expect(look(schedule({}), at('01:00:00'), [], many).fault).toContain(`at most ${mostObjects}`)
  })
})

describe('objects under a Schedule', () => {
  const keysOf = (of: Schedule, candidates: readonly Candidate[]): string[] =>
    targetsOf(of, candidates, 'holdfast').map((target) => target.key)
  const byLabel = schedule({ selector: undefined as never, class: { default: true } })
  const labelled = (labels: Record<string, string>, change: Partial<Candidate> = {}): Candidate => ({
    ...shop,
    labels,
    ...change,
  })

  test('are found by kind, namespace, labels and conditions on labels', () => {
    const selector = {
      kinds: ['StatefulSet' as const],
      namespaces: ['shop'],
      matchLabels: { app: 'db' },
      matchExpressions: [
        { key: 'tier', operator: 'NotIn' as const, values: ['scratch'] },
        { key: 'gone', operator: 'DoesNotExist' as const },
      ],
    }
    const of = schedule({ selector })
    expect(keysOf(of, [shop])).toEqual([key])
    expect(keysOf(of, [{ ...shop, namespace: 'other' }])).toEqual([])
    expect(keysOf(of, [labelled({ app: 'db', tier: 'scratch' })])).toEqual([])
    expect(keysOf(of, [labelled({ app: 'db', gone: '' })])).toEqual([])
    expect(keysOf(of, [{ ...shop, kind: 'Deployment' }])).toEqual([])
  })

  test('are told apart by their resource where no kind is given, empty or absent', () => {
    const place = { apiVersion: 'v1', resource: 'widgets', namespace: 'shop', name: 'one' }
    const of = schedule({
      selector: undefined as never,
      objects: [{ ...place, kind: '' }, place, { ...place, resource: 'gears' }],
    })
    expect(keysOf(of, [])).toEqual(['shop/gears/one', 'shop/widgets/one'])
  })

  test('are those whose owners chose the Schedule by its name, or the default one', () => {
    expect(keysOf(byLabel, [labelled({ 'holdfast.dev/policy': 'hourly' })])).toEqual([key])
    expect(keysOf(byLabel, [labelled({ 'holdfast.dev/policy': 'default' })])).toEqual([key])
    expect(keysOf(byLabel, [labelled({ 'holdfast.dev/policy': 'weekly' }), labelled({}, { name: 'b' })])).toEqual([])
  })

  test('are the StatefulSets of a namespace whose owner chose it, but for one that says otherwise', () => {
    const namespace: Candidate = { kind: 'Namespace', namespace: '', name: 'shop', labels: { 'holdfast.dev/policy': 'hourly' } }
    const deployment = labelled({}, { kind: 'Deployment', name: 'web' })
    const taken = labelled({ 'holdfast.dev/policy': 'none' }, { name: 'cache' })
    expect(keysOf(byLabel, [namespace, shop, deployment, taken])).toEqual([key])
  })

  test('cannot be taken by a Schedule of a tenant’s namespace', () => {
    const tenants = { ...byLabel, metadata: { ...byLabel.metadata, namespace: 'tenant' } }
    expect(keysOf(tenants, [labelled({ 'holdfast.dev/policy': 'hourly' })])).toEqual([])
  })

  test('named ones are there although nothing is found of them, each once', () => {
    const objects = [
      { kind: 'StatefulSet', name: 'db', namespace: 'shop' },
      { kind: 'PersistentVolumeClaim', name: 'data', namespace: 'shop' },
    ]
    const of = schedule({ objects })
    expect(keysOf(of, [shop])).toEqual(['shop/pvc/data', key])
    expect(keysOf(of, [shop, { ...shop, kind: 'PersistentVolumeClaim', name: 'data' }])).toEqual(['shop/pvc/data', key])
  })

  test('may name a Blueprint of their own', () => {
    const known = { [key]: { since: '2026-05-01T00:00:00Z', handled: '2026-05-01T00:00:00Z' } }
    const [turn] = look(schedule({ action: {} }, known), at('01:00:00'), [], [{ ...shop, blueprint: 'mine' }]).turns
    expect(turn?.create?.spec?.actions?.[0]?.blueprint).toBe('mine')
  })
})

test('status says when the next one starts, the newest success, and the object that is worst off', () => {
  const objects = {
    [key]: { since: '2026-04-01T00:00:00Z', handled: '2026-05-01T00:00:00Z', lastSuccess: '2026-04-30T00:00:00Z' },
    'shop/statefulset/two': {
      since: '2026-04-01T00:00:00Z',
      handled: '2026-05-01T00:00:00Z',
      lastSuccess: '2026-04-28T00:00:00Z',
    },
  }
  const of = schedule({}, objects)
  const status = statusOf(of, look(of, at('00:30:00'), [], [shop, { ...shop, name: 'two' }]))
  expect(status).toMatchObject({
    message: '',
    objectCount: 2,
    neverSucceeded: 0,
    nextRun: '2026-05-01T01:00:00Z',
    lastSuccess: '2026-04-30T00:00:00Z',
    oldestSuccess: '2026-04-28T00:00:00Z',
    observed: expect.stringMatching(/^[0-9a-f]{16}$/),
  })
})
