import type { ActionSet, ActionSpec } from '../../src/api/actionset.ts'
import type { Blueprint, BlueprintAction } from '../../src/api/blueprint.ts'
import { calm, type Weather } from './network.ts'
import type { Random } from './random.ts'
import { simFunctionNames, type PhaseArgs } from './sim-functions.ts'

export const namespace = 'engine'

/** A phase as it was drawn, with what its name says of it. */
export interface DrawnPhase extends PhaseArgs {
  readonly func: string
  readonly retry?: { readonly limit: number; readonly backoff: string; readonly on?: readonly string[] }
  readonly timeout?: string
  readonly resume?: 'restart' | 'refuse'
  /** It waits for approval. */
  readonly suspend?: boolean
}

export interface DrawnAction {
  readonly phases: readonly DrawnPhase[]
  readonly deferPhase?: DrawnPhase
}

export interface DrawnActionSet {
  readonly name: string
  readonly actions: readonly DrawnAction[]
  readonly sequential: boolean
  readonly createdMs: number
  /** When somebody asks for its end, and how. */
  readonly cancelMs?: number
  readonly cancelBy?: 'annotation' | 'deletion'
  /** It shares its object with none that says so too. */
  readonly serialized?: boolean
  readonly priority?: number
}

/** What happens to processes and servers: the expected number of each in the time of trouble. */
export interface Troubles {
  readonly kills: number
  readonly killsAtWrites: number
  readonly killsAtSteps: number
  readonly pauses: number
  readonly pausesAtWrites: number
  readonly twins: number
  readonly stops: number
  readonly queueAway: number
  readonly wipes: number
  readonly apiAway: number
}

export interface Scenario {
  readonly actionSets: readonly DrawnActionSet[]
  readonly workers: number
  readonly operators: number
  readonly concurrency: number
  readonly weather: Weather
  readonly queueLoss: number
  readonly queueTwice: number
  readonly troubles: Troubles
  /** ActionSets of one namespace at a time; 0: no limit. */
  readonly perNamespace: number
  /** When everything that waits for approval gets it. */
  readonly approveMs: number
  /** How long everything goes wrong. */
  readonly troubleMs: number
}

export const phaseTimeoutMs = 150_000

/** What is drawn of the queue comes from numbers of its own, so that the rest of a seed stays as it was. */
export function drawScenario(random: Random, ofQueue: Random, ofPolicy: Random, ofNodes: Random): Scenario {
  const scenario = drawWithoutQueue(random)
  const serialized = ofQueue.chance(0.4)
  const suspends = ofQueue.chance(0.3)
  const withSuspended = ({ phases, ...action }: DrawnAction): DrawnAction => ({
    ...action,
    phases: phases.map((phase) => (suspends && ofQueue.chance(0.4) ? { ...phase, suspend: true } : phase)),
  })
  const policies = ofPolicy.chance(0.4)
  const withPolicy = ({ phases, deferPhase }: DrawnAction): DrawnAction => ({
    phases: phases.map((phase) => (policies ? drawPolicy(ofPolicy, phase) : phase)),
    ...(deferPhase ? { deferPhase: policies ? drawPolicy(ofPolicy, deferPhase) : deferPhase } : {}),
  })
  const loses = ofNodes.chance(0.3)
  const withLoss = (phase: DrawnPhase): DrawnPhase =>
    loses && ofNodes.chance(0.4) ? { ...phase, loses: ofNodes.between(1, 3) } : phase
  const withLosses = ({ phases, deferPhase }: DrawnAction): DrawnAction => ({
    phases: phases.map(withLoss),
    ...(deferPhase ? { deferPhase: withLoss(deferPhase) } : {}),
  })
  return {
    ...scenario,
    troubles: { ...scenario.troubles, pausesAtWrites: ofPolicy.chance(0.6) ? 0 : ofPolicy.between(1, 3) },
    perNamespace: ofQueue.chance(0.2) ? ofQueue.between(1, 2) : 0,
    approveMs: ofQueue.between(0, scenario.troubleMs),
    actionSets: scenario.actionSets.map((drawn) => ({
      ...drawn,
      actions: drawn.actions.map(withSuspended).map(withPolicy).map(withLosses),
      ...(serialized && ofQueue.chance(0.8) ? { serialized } : {}),
      ...(ofQueue.chance(0.3) ? { priority: ofQueue.between(-100, 100) } : {}),
    })),
  }
}

/** Retries that are enough for what fails at first, deadlines that some phases miss, another answer to a crash. */
function drawPolicy(random: Random, phase: DrawnPhase): DrawnPhase {
  const limit = random.between(1, 3)
  const on = random.chance(0.5) ? undefined : [...(random.chance(0.7) ? ['Error'] : []), 'Timeout', 'Interrupted']
  const retries = random.chance(0.5)
  const flaky = retries && random.chance(0.5) && (on?.includes('Error') ?? true) ? random.between(1, limit) : undefined
  return {
    ...phase,
    ...(retries ? { retry: { limit, backoff: `${random.between(1, 10)}s`, ...(on ? { on } : {}) } } : {}),
    ...(flaky === undefined ? {} : { flaky }),
    // What hangs and is tried again must not take for ever.
    ...(phase.hang || random.chance(0.2) ? { timeout: `${random.between(5, 30)}s` } : {}),
    ...(random.chance(0.25) ? { resume: random.pick(['restart', 'refuse'] as const) } : {}),
  }
}

/** Each kind of fault is absent in about half of the seeds, so that none hides behind another. */
function drawWithoutQueue(random: Random): Omit<Scenario, 'perNamespace' | 'approveMs'> {
  const sometimes = (top: number): number => (random.chance(0.5) ? 0 : random.next() * top)
  const count = (top: number): number => (random.chance(0.5) ? 0 : random.between(1, top))
  const troubleMs = random.between(20, 90) * 1_000
  return {
    actionSets: Array.from({ length: random.between(1, 4) }, (_, index) => drawActionSet(random, `as-${index}`, troubleMs)),
    workers: random.between(1, 3),
    operators: random.between(1, 2),
    concurrency: random.between(1, 4),
    weather: {
      slowMs: random.pick([10, 100, 1_000]),
      failBefore: sometimes(0.2),
      failAfter: sometimes(0.15),
      loss: sometimes(0.1),
      lateEventMs: random.pick([20, 500, 8_000]),
      twice: sometimes(0.3),
      watchBreaks: sometimes(0.2),
      watchSilent: random.chance(0.1) ? 0.5 : 0,
      compacted: sometimes(0.5),
    },
    queueLoss: sometimes(0.5),
    queueTwice: sometimes(0.5),
    troubles: {
      kills: count(4),
      killsAtWrites: count(4),
      killsAtSteps: count(3),
      pauses: count(3),
      pausesAtWrites: 0,
      twins: random.chance(0.8) ? 0 : 1,
      stops: count(2),
      queueAway: random.chance(0.7) ? 0 : 1,
      wipes: count(2),
      apiAway: random.chance(0.7) ? 0 : 1,
    },
    troubleMs,
  }
}

export const calmWeather = calm

function drawActionSet(random: Random, name: string, troubleMs: number): DrawnActionSet {
  const actions = Array.from({ length: random.chance(0.7) ? 1 : random.between(2, 3) }, (_, index) =>
    drawAction(random, `${name}/${index}`),
  )
  const createdMs = random.between(0, troubleMs * 0.7)
  const endless = actions.some(({ phases }) => phases.some((phase) => phase.hang))
  const cancelled = random.chance(endless ? 0.7 : 0.15)
  return {
    name,
    actions,
    sequential: actions.length > 1 && random.chance(0.4),
    createdMs,
    ...(cancelled
      ? { cancelMs: createdMs + random.skewed(0, 40_000), cancelBy: random.pick(['annotation', 'deletion'] as const) }
      : {}),
  }
}

function drawAction(random: Random, name: string): DrawnAction {
  const phases = Array.from({ length: random.between(1, 3) }, (_, index) => drawPhase(random, `${name}/p${index}`))
  return { phases, ...(random.chance(0.6) ? { deferPhase: { ...drawPhase(random, `${name}/defer`), hang: false } } : {}) }
}

function drawPhase(random: Random, k: string): DrawnPhase {
  return {
    k,
    func: random.pick(simFunctionNames),
    steps: random.between(1, 4),
    stepMs: random.pick([10, 200, 3_000]),
    fail: random.chance(0.06),
    hang: random.chance(0.04),
    ...(random.chance(0.05) ? { stubbornMs: random.between(1_000, 30_000) } : {}),
  }
}

/** Each ActionSet has a Blueprint of its own name. */
export function blueprintOf({ name, actions }: DrawnActionSet): Blueprint {
  const written = actions.map((action, index): [string, BlueprintAction] => [`a${index}`, writtenAction(action)])
  const blueprint = { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Blueprint', metadata: { name, namespace } }
  return { ...blueprint, actions: Object.fromEntries(written) } as unknown as Blueprint
}

function writtenAction({ phases, deferPhase }: DrawnAction): BlueprintAction {
  const written = (phase: DrawnPhase, name: string): object => {
    const { func, suspend, retry, timeout, resume, ...args } = phase
    const policy = { ...(retry ? { retry } : {}), ...(timeout ? { timeout } : {}), ...(resume ? { resume } : {}) }
    return { func, name, args, ...policy, ...(suspend ? { suspend } : {}) }
  }
  const outputs = phases.map((_, index) => [`o${index}`, `{{ .Phases.p${index}.Output.key }}`])
  return {
    outputArtifacts: { kept: { keyValue: Object.fromEntries(outputs) } },
    phases: phases.map((phase, index) => written(phase, `p${index}`)),
    ...(deferPhase ? { deferPhase: written(deferPhase, 'defer') } : {}),
  } as BlueprintAction
}

export function actionSetOf({ name, actions, sequential, serialized, priority }: DrawnActionSet): ActionSet {
  const written = actions.map((_, index): ActionSpec => ({
    name: `a${index}`,
    blueprint: name,
    object: { kind: 'Namespace', name: 'app', namespace: 'app' },
    profile: { name: 'profile', namespace },
  }))
  const actionSet = { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'ActionSet', metadata: { name, namespace } }
  const spec = {
    actions: written,
    ...(sequential ? { executionMode: 'Sequential' } : {}),
    ...(serialized ? { serialize: 'Object' } : {}),
    ...(priority === undefined ? {} : { priority }),
  }
  return { ...actionSet, spec } as unknown as ActionSet
}
