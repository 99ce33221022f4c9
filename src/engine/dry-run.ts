import type { ActionSpec } from '../api/actionset.ts'
import type { Blueprint, BlueprintPhase } from '../api/blueprint.ts'
import type { FrozenInputs, RunPhase } from '../api/run.ts'
import { messageOf } from '../base/errors.ts'
import type { PhaseFunction } from '../functions/define.ts'
import { nameArgs } from './args.ts'
import { maskFetched, maskLive } from './masked-inputs.ts'
import { buildParams, freezeInputs, type LiveInputs, type Moment } from './params.ts'
import { type FindFunction, languageOf } from './plan.ts'
import { type ClusterReader, fetchObjects, type Fetched, nothingFetched, type References } from './references.ts'
import type { Renderer } from './renderer.ts'
import { unknownOutputs } from './unknown-outputs.ts'

/** What an action would do to live objects: every phase with the arguments that it would get. Nothing is written or run. */
export interface DryRunRequest {
  readonly reader: ClusterReader
  readonly renderer: Renderer
  readonly findFunction: FindFunction
  readonly blueprint: Blueprint
  readonly action: ActionSpec
  readonly moment: Moment
  readonly signal: AbortSignal
}

export interface DryRun {
  readonly phases: readonly DryRunPhase[]
  readonly deferPhase?: DryRunPhase
  readonly artifacts?: Readonly<Record<string, unknown>>
  /** Why the artifacts cannot be rendered. */
  readonly artifactsProblem?: string
}

export interface DryRunPhase {
  readonly name: string
  readonly func: string
  readonly objects?: Readonly<Record<string, unknown>>
  readonly args?: Readonly<Record<string, unknown>>
  /** Why it cannot be rendered, or would be refused. */
  readonly problem?: string
}

/**
 * Secrets are replaced by marks before anything is rendered, so that no template can show one. Outputs that are not known yet stand
 * as `<output KEY of phase NAME>`. Throws when the object, Profile or a Secret of the action is not there.
 */
export async function dryRun(request: DryRunRequest): Promise<DryRun> {
  const { reader, action, blueprint, moment, signal } = request
  const { inputs, live } = await freezeInputs(reader, action, moment, signal)
  const found = blueprint.actions?.[action.name ?? '']
  if (!found)
    throw new Error(
      `the Blueprint has no action "${action.name ?? ''}"; it has ${Object.keys(blueprint.actions ?? {}).join(', ')}`,
    )
  const rehearsal = new Rehearsal(request, inputs, maskLive(live, action))
  const phases: DryRunPhase[] = []
  for (const [index, phase] of (found.phases ?? []).entries()) phases.push(await rehearsal.phase(phase, index))
  const deferPhase = found.deferPhase ? await rehearsal.phase(found.deferPhase, 'defer') : undefined
  return { phases, ...(deferPhase ? { deferPhase } : {}), ...(await rehearsal.artifacts(found.outputArtifacts ?? {})) }
}

class Rehearsal {
  readonly #request: DryRunRequest
  readonly #inputs: FrozenInputs
  readonly #live: LiveInputs
  readonly #fetched = new Map<number | 'defer', Fetched>()
  readonly #done: RunPhase[] = []
  #deferred: RunPhase | undefined
  readonly #outputs: ReturnType<typeof unknownOutputs>

  constructor(request: DryRunRequest, inputs: FrozenInputs, live: LiveInputs) {
    this.#request = request
    this.#inputs = inputs
    this.#live = live
    const { blueprint, action, findFunction } = request
    this.#outputs = unknownOutputs(blueprint.actions?.[action.name ?? ''] ?? {}, languageOf(blueprint), findFunction)
  }

  async phase(phase: BlueprintPhase, at: number | 'defer'): Promise<DryRunPhase> {
    const { name = '', func = '' } = phase
    let objects: References | undefined
    let result: Omit<DryRunPhase, 'name' | 'func' | 'objects'>
    try {
      objects = phase.objects ? await this.#request.renderer.references(phase.objects, this.#scope([])) : undefined
      this.#fetched.set(at, await this.#fetch(objects))
      this.#enter(name, at, 'running')
      result = { args: await this.#args(phase) }
    } catch (error) {
      if (this.#request.signal.aborted) throw error
      this.#fetched.set(at, this.#fetched.get(at) ?? nothingFetched)
      result = { problem: messageOf(error) }
    }
    this.#enter(name, at, 'complete')
    return { name, func, ...(objects ? { objects } : {}), ...result }
  }

  async artifacts(
    templates: NonNullable<Parameters<Renderer['artifacts']>[0]>,
  ): Promise<Pick<DryRun, 'artifacts' | 'artifactsProblem'>> {
    if (Object.keys(templates).length === 0) return {}
    try {
      return { artifacts: await this.#request.renderer.artifacts(templates, this.#scope(this.#done)) }
    } catch (error) {
      return { artifactsProblem: messageOf(error) }
    }
  }

  async #fetch(objects: References | undefined): Promise<Fetched> {
    if (!objects) return nothingFetched
    return maskFetched(await fetchObjects(this.#request.reader, objects, this.#request.signal))
  }

  /** Arguments of functions that render themselves are shown as they stand. */
  async #args(phase: BlueprintPhase): Promise<Record<string, unknown>> {
    const fn: PhaseFunction = this.#request.findFunction(phase.func ?? '', this.#request.action.preferredVersion ?? '')
    const { named, faults } = nameArgs(fn, phase.args)
    if (faults.length > 0) throw new Error(faults.join('; '))
    return fn.rendersItself ? { ...named } : this.#request.renderer.args(named, this.#scope(this.#done))
  }

  #enter(name: string, at: number | 'defer', state: 'running' | 'complete'): void {
    const output = state === 'complete' ? { output: this.#outputs(name) } : {}
    const phase: RunPhase = { name, state, ...output }
    if (at === 'defer') this.#deferred = phase
    else this.#done[at] = phase
  }

  #scope(phases: readonly RunPhase[]): Parameters<Renderer['text']>[1] {
    const { action, blueprint, moment } = this.#request
    const journal = { phases: [...phases], ...(this.#deferred ? { deferPhase: this.#deferred } : {}) }
    const fetched = new Map([...this.#fetched].filter(([at]) => at === 'defer' || at < phases.length))
    const params = buildParams({ spec: action, action: journal, inputs: this.#inputs, live: this.#live, fetched })
    return { language: languageOf(blueprint), params, seed: moment.seed }
  }
}
