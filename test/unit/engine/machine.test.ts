import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import type { RunAction } from '../../../src/api/run.ts'
import {
  isEnded,
  suspendedPhase,
  nextStep,
  reduce,
  type ActionState,
  type MachineEvent,
  type PhaseAt,
  type Step,
} from '../../../src/engine/machine.ts'

const now = '2026-11-21T10:00:00Z'
const inputs = { time: now, seed: '00' }

function queued(phases = 2, deferred = true, publishes = true): ActionState {
  const action: RunAction = {
    state: 'pending',
    dispatch: 1,
    fence: { owner: '', instance: '', attempt: 0 },
    phases: Array.from({ length: phases }, (_, index) => ({ name: `p${index}`, state: 'pending' as const })),
    ...(deferred ? { deferPhase: { name: 'def', state: 'pending' as const } } : {}),
  }
  return { plan: { actionSetName: 'as', actionName: 'backup', hasArtifacts: publishes, wantsRecord: publishes }, action }
}

function apply(state: ActionState, ...events: readonly MachineEvent[]): ActionState {
  return events.reduce((at, event) => reduce(at, event).state, state)
}

const launched: MachineEvent = { type: 'launched', now, inputs, objects: [] }
const started = (at: PhaseAt): MachineEvent => ({ type: 'phaseStarted', at, now })
const ended = (at: PhaseAt): MachineEvent => ({ type: 'phaseEnded', at, now })
const failed = (at: PhaseAt): MachineEvent => ({ type: 'phaseFailed', at, now, failure: { message: `${at} failed` } })

describe('an action', () => {
  test('waits before a phase that wants approval, owned by nobody, and goes on where it was', () => {
    const { plan, action } = queued()
    const before = apply({ plan: { ...plan, suspends: [1] }, action }, launched, started(0), ended(0))

    expect(nextStep(before)).toEqual({ kind: 'suspend', at: 1 })
    const waiting = apply(before, { type: 'suspended', at: 1, now }, { type: 'released' })
    expect(waiting.action.fence.owner).toBe('')
    expect(suspendedPhase(waiting.action)).toMatchObject({ at: 1 })
    expect(nextStep(waiting)).toEqual({ kind: 'suspend', at: 1 })

    const approved = approve(waiting, 1)
    expect(suspendedPhase(approved.action)).toBeUndefined()
    expect(nextStep(approved)).toEqual({ kind: 'phase', at: 1, resumed: false })
  })

  test('that waits for approval and is cancelled runs its deferred phase', () => {
    const { plan, action } = queued()
    const before = apply({ plan: { ...plan, suspends: [0] }, action }, launched)

    const state = apply(before, { type: 'suspended', at: 0, now }, { type: 'released' }, { type: 'cancelled' })

    expect(nextStep(state)).toEqual({ kind: 'phase', at: 'defer', resumed: false })
  })

  test('goes from launch through its phases and the deferred one to artifacts, record and end', () => {
    const steps: string[] = []
    let state = queued()
    const answers: Record<Step['kind'], MachineEvent[]> = {
      launch: [launched],
      phase: [],
      suspend: [],
      artifacts: [{ type: 'artifactsRendered', artifacts: {} }],
      record: [{ type: 'recorded', key: 'k' }],
      finish: [{ type: 'finished', now }],
      end: [],
    }

    for (let step = nextStep(state); step.kind !== 'end'; step = nextStep(state)) {
      steps.push(step.kind === 'phase' ? `phase ${step.at}` : step.kind)
      state = apply(state, ...(step.kind === 'phase' ? [started(step.at), ended(step.at)] : answers[step.kind]))
    }

    expect(steps).toEqual(['launch', 'phase 0', 'phase 1', 'phase defer', 'artifacts', 'record', 'finish'])
    expect(state.action.state).toBe('complete')
  })

  test('after a failed phase runs the deferred one and ends as failed, with the phase’s error', () => {
    const state = apply(queued(), launched, started(0), failed(0))

    expect(nextStep(state)).toEqual({ kind: 'phase', at: 'defer', resumed: false })
    const end = apply(state, started('defer'), ended('defer'))
    expect(nextStep(end)).toEqual({ kind: 'finish' })
    expect(apply(end, { type: 'finished', now }).action).toMatchObject({ state: 'failed', error: { message: '0 failed' } })
  })

  test('shows the deferred phase’s error where both failed; the phase keeps its own', () => {
    const { action } = apply(queued(1), launched, failed(0), failed('defer'), { type: 'finished', now })

    expect(action.error?.message).toBe('defer failed')
    expect(action.phases[0]?.error?.message).toBe('0 failed')
  })

  test('whose launch failed marks its first phase and runs nothing, not even the deferred phase', () => {
    const state = apply(queued(), { type: 'launchFailed', failure: { message: 'no such object' } })

    expect(nextStep(state)).toEqual({ kind: 'finish' })
    expect(state.action.phases.map((phase) => phase.state)).toEqual(['failed', 'pending'])
  })

  test('that was left running is resumed, and its checkpoint is there', () => {
    const state = apply(queued(), launched, started(0), { type: 'checkpointed', at: 0, checkpoint: { n: 3 } })

    expect(nextStep(state)).toEqual({ kind: 'phase', at: 0, resumed: true })
    expect(state.action.phases[0]?.checkpoint).toEqual({ n: 3 })
    expect(reduce(state, started(0)).effects[0]?.reason).toBe('Resumed Phase')
  })

  test('cancelled between phases goes to the deferred phase; cancelled before launch ends at once', () => {
    const between = apply(queued(), launched, started(0), ended(0), { type: 'cancelled' })
    expect(nextStep(between)).toEqual({ kind: 'phase', at: 'defer', resumed: false })

    const before = apply(queued(), { type: 'cancelled' }, { type: 'finished', now })
    expect(before.action).toMatchObject({ state: 'failed', error: { code: 'RUN_CANCELLED' } })
  })

  test('cancelled when all phases had ended completes: the data is there, so its artifact is too', () => {
    const state = apply(queued(1), launched, started(0), ended(0), { type: 'cancelled' }, started('defer'), ended('defer'))

    expect(nextStep(state)).toEqual({ kind: 'artifacts' })
  })

  test('is claimed with a higher attempt each time; given free, it is a new dispatch', () => {
    const claimed = apply(queued(), { type: 'claimed', owner: 'w', instance: '1' })
    expect(claimed.action.fence).toEqual({ owner: 'w', instance: '1', attempt: 1 })

    const free = apply(claimed, { type: 'released' })
    expect(free.action).toMatchObject({ dispatch: 2, fence: { owner: '', attempt: 2 } })
  })

  test('is complete although its record could not be written, and warns', () => {
    const state = apply(
      queued(0, false),
      launched,
      { type: 'artifactsRendered', artifacts: {} },
      { type: 'recordFailed', message: 'not catalogued: no bucket' },
      { type: 'finished', now },
    )

    expect(state.action).toMatchObject({ state: 'complete', warnings: ['not catalogued: no bucket'] })
  })
})

// What may happen at a step, and whether the process dies before it is written. A die in the middle leaves the journal as it was.
const outcome = fc.record({ well: fc.boolean(), dies: fc.integer({ min: 0, max: 5 }), cancel: fc.integer({ min: 0, max: 9 }) })

describe('whatever happens', () => {
  test('an action comes to its end, and once launched never without its deferred phase', () => {
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.boolean(),
        fc.boolean(),
        fc.infiniteStream(outcome),
        (phases, deferred, publishes, outcomes) => {
          const { plan, action: first } = queued(phases, deferred, publishes)
          let state: ActionState = { plan: { ...plan, suspends: phases > 1 ? [1] : [] }, action: first }
          for (let steps = 0; !isEnded(state.action); steps++) {
            expect(steps).toBeLessThan(500)
            const { well, dies, cancel } = outcomes.next().value
            if (cancel === 0) state = apply(state, { type: 'cancelled' })
            state = advance(state, well, dies === 0)
          }
          const { action } = state
          if (action.launched && deferred) expect(['complete', 'failed']).toContain(action.deferPhase?.state)
          const allWell = action.phases.every((phase) => phase.state === 'complete') && action.deferPhase?.state !== 'failed'
          if (action.state === 'complete') expect(allWell).toBe(true)
          const firstOpen = action.phases.findIndex((phase) => phase.state !== 'complete')
          if (firstOpen >= 0) expect(action.phases.slice(firstOpen + 1).every((phase) => phase.state === 'pending')).toBe(true)
          expect(apply(state, launched, started(0), failed(0), { type: 'finished', now })).toBe(state)
        },
      ),
      { numRuns: 2_000 },
    )
  })
})

/** As the operator writes it into the journal. */
function approve({ plan, action }: ActionState, at: number): ActionState {
  const phases = action.phases.map((phase, index) => (index === at ? { ...phase, approved: true } : phase))
  return { plan, action: { ...action, phases } }
}

function advance(state: ActionState, well: boolean, dies: boolean): ActionState {
  const step = nextStep(state)
  switch (step.kind) {
    case 'launch':
      if (dies) return state
      return apply(state, well ? launched : { type: 'launchFailed', failure: { message: 'no' } })
    case 'phase': {
      const running = apply(state, started(step.at))
      if (dies) return running
      return apply(running, well ? ended(step.at) : failed(step.at))
    }
    case 'suspend': {
      const waiting = apply(state, { type: 'suspended', at: step.at, now }, { type: 'released' })
      return well ? approve(waiting, step.at) : waiting
    }
    case 'artifacts':
      return apply(
        state,
        well ? { type: 'artifactsRendered', artifacts: {} } : { type: 'artifactsFailed', failure: { message: 'no' } },
      )
    case 'record':
      return dies ? state : apply(state, well ? { type: 'recorded', key: 'k' } : { type: 'recordFailed', message: 'no' })
    case 'finish':
      return dies ? state : apply(state, { type: 'finished', now })
    case 'end':
      return state
  }
}
