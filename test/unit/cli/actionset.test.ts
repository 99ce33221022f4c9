import { describe, expect, test } from 'vitest'
import type { ActionSet, ActionSetStatus } from '../../../src/api/actionset.ts'
import { approve } from '../../../src/cli/commands/actionset/approve.ts'
import { cancel } from '../../../src/cli/commands/actionset/cancel.ts'
import type { ActionSetDeps } from '../../../src/cli/commands/actionset/define.ts'
import { describeActionSet, showStatus } from '../../../src/cli/commands/actionset/status.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { FakeApi } from '../../build/fake-api.ts'

const phases = [
  { name: 'check', state: 'complete', progress: {} },
  { name: 'overwrite', state: 'pending', progress: {} },
]
const waits: ActionSetStatus = {
  state: 'running',
  actions: [{ name: 'restore', object: { kind: 'StatefulSet', namespace: 'shop', name: 'db' }, phases }],
  progress: { percentCompleted: '50' },
  waiting: { for: 'Approval', message: 'phase "overwrite" waits for approval', phase: 'overwrite' },
}

function world(status: ActionSetStatus | undefined, annotations: Record<string, string> = {}) {
  const api = new FakeApi()
  const said: string[] = []
  const metadata = { name: 'as', namespace: 'ns', annotations }
  api.put(ownKinds.actionSets, {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'ActionSet',
    metadata,
    ...(status ? { status } : {}),
  } as unknown as ActionSet)
  const deps: ActionSetDeps = {
    kube: api.kube(),
    namespace: 'ns',
    output: { out: (text) => void said.push(text), err: (text) => void said.push(text), live: false },
    signal: new AbortController().signal,
  }
  const annotation = (name: string): string | undefined =>
    api.read(ownKinds.actionSets, 'ns', 'as')?.metadata.annotations?.[`holdfast.dev/${name}`]
  return { deps, said, annotation }
}

describe('approve', () => {
  test('approves the phase that waits', async () => {
    const { deps, said, annotation } = world(waits)

    await approve('as', undefined, deps)

    expect(annotation('approve')).toBe('overwrite')
    expect(said).toEqual(['phase overwrite of actionset as approved\n'])
  })

  test('keeps what was approved before', async () => {
    const { deps, annotation } = world(waits, { 'holdfast.dev/approve': 'check' })

    await approve('as', 'overwrite', deps)

    expect(annotation('approve')).toBe('check,overwrite')
  })

  test('loses no approval when two people approve at one time', async () => {
    const { deps, annotation } = world(waits)

    await Promise.all([approve('as', 'check', deps), approve('as', undefined, deps)])

    expect(annotation('approve')?.split(',').sort()).toEqual(['check', 'overwrite'])
  })

  test.each([
    ['an ActionSet that is not there', 'other', undefined, waits, 'there is no ActionSet other in namespace ns'],
    ['a phase that does not exist', 'as', 'nope', waits, 'has no phase nope; it has check, overwrite'],
    ['nothing, when nothing waits', 'as', undefined, { ...waits, waiting: undefined }, 'no phase of actionset as waits'],
    ['what has ended', 'as', 'check', { ...waits, state: 'failed' }, 'has ended: it is failed'],
  ])('does not approve %s', async (_what, name, phase, status, message) => {
    const { deps, annotation } = world(status as ActionSetStatus)

    await expect(approve(name, phase, deps)).rejects.toThrow(message)
    expect(annotation('approve')).toBeUndefined()
  })
})

describe('cancel', () => {
  test('says so to the engine', async () => {
    const { deps, annotation } = world(waits)

    await cancel('as', { wait: false, timeout: '5m' }, deps)

    expect(annotation('cancel')).toBe('true')
  })

  test('leaves alone what is complete', async () => {
    const { deps, annotation } = world({ state: 'complete' })

    await expect(cancel('as', { wait: false, timeout: '5m' }, deps)).rejects.toThrow('nothing to cancel')
    expect(annotation('cancel')).toBeUndefined()
  })
})

describe('status', () => {
  test('shows phases, and what is waited for', async () => {
    const { deps, said } = world(waits)

    await showStatus('as', deps)

    expect(said.join('')).toBe(
      'as: running, 50 %\n  phase "overwrite" waits for approval\n  restore on StatefulSet shop/db\n' +
        '    check: complete\n    overwrite: pending\n',
    )
  })

  test('shows the place in the queue, and failures', () => {
    const metadata = { name: 'as', namespace: 'ns', uid: 'u', resourceVersion: '1' }
    const queued = { state: 'pending', waiting: { for: 'Queue' as const, message: 'waits for a free worker', position: 3 } }

    expect(describeActionSet({ metadata, status: queued })[1]).toBe('  waits for a free worker (position 3)')
    expect(
      describeActionSet({ metadata, status: { state: 'failed', reason: 'Failed', error: { message: 'disk full' } } }),
    ).toEqual(['as: failed (Failed)', '  error: disk full'])
  })
})
