import type { TObject, TypeOf } from '../schema/build.ts'
import type { FunctionContext } from './context.ts'

/** A rule of a ClusterRole. */
export interface RbacRule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
}

/**
 * What happens to a phase that was running when its process died:
 *
 * - `adopt`: what was started outside (a pod of a derived name, a command that outlives us) still runs or left its result; take it.
 * - `continue`: go on from the last checkpoint.
 * - `restart`: doing it again is harmless.
 * - `refuse`: doing it again could do damage; the phase fails with RUN_INTERRUPTED and the deferred phase runs.
 *
 * With each of them but `refuse`, `run` is called again with `ctx.resumed` holding the last checkpoint.
 */
export type Resume = 'adopt' | 'continue' | 'restart' | 'refuse'

/** A phase function. It holds no state: two runs share the value. */
export interface PhaseFunction<Args extends TObject = TObject> {
  /** As it stands in `func:`; case matters. */
  readonly name: string
  readonly summary: string
  readonly args: Args
  /** Names of the outputs and what each is. */
  readonly outputs: Readonly<Record<string, string>>
  /** What differs from Kanister's function of that name, or needs to be known; each a sentence for its page. */
  readonly notes?: readonly string[]
  /** True if the command's `kando output` markers become outputs too. */
  readonly reportsMarkers?: boolean
  /** Other spellings of arguments that are accepted: spelling -> name. */
  readonly aliases?: Readonly<Record<string, string>>
  /** Order of arguments in the positional form of 2018. */
  readonly positional?: readonly string[]
  /** It makes pods, so it takes podOverride, podLabels and podAnnotations. */
  readonly makesPods?: boolean
  /** Removes data of backups that it is given. */
  readonly removes?: boolean
  /** Renders its arguments itself (Wait, WaitV2). */
  readonly rendersItself?: boolean
  readonly rbac: readonly RbacRule[]
  readonly resume: Resume
  /** When the worker is stopped it gets some seconds to end by itself before its signal is aborted. @default with `refuse` only */
  readonly drains?: boolean
  /** Checks across arguments ("exactly one of a and b"); returns what is wrong. */
  checkArgs?(args: TypeOf<Args>): readonly string[]
  /**
   * Looks at what must be known of the world before anything is done; changes nothing. What it returns is the first checkpoint, written
   * together with the start of the phase, so that it costs no write of its own. Not called for a phase that is resumed.
   */
  prepare?(ctx: FunctionContext, args: TypeOf<Args>): Promise<unknown>
  /**
   * Ends what an earlier attempt left outside, when nobody goes on with it: after a cancel, or before the phase begins anew. Knows
   * the last checkpoint (`ctx.resumed`) only. Nothing there is success.
   */
  abandon?(ctx: FunctionContext): Promise<void>
  /** Outputs, or undefined when there are none. Throws a HoldfastError on failure. */
  run(ctx: FunctionContext, args: TypeOf<Args>): Promise<PhaseOutputs | undefined>
}

export type PhaseOutputs = Record<string, unknown>

/** Declares a phase function: its type, checks, page and rights are made from this value. */
export function defineFunction<const Args extends TObject>(definition: PhaseFunction<Args>): PhaseFunction<Args> {
  return definition
}
