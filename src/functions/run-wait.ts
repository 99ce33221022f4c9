import { messageOf, nextOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import { type Live, type ObjectKey, type ResourceName, resourceOfReference, type Unstructured } from '../kube/objects.ts'
import type { ConditionLanguage } from '../template/wait.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { pollUntil } from './poll-until.ts'
import { deadlineOf, parseTimeoutMs } from './timeout.ts'
import type { ConditionArgs, WaitArgs } from './wait-args.ts'

interface Condition {
  readonly resource: ResourceName
  readonly key: ObjectKey
  readonly holds: (object: unknown) => boolean
}

/** Waits until any condition of `anyOf`, or all of `allOf`, hold. Everything that can be wrong beforehand is found before the first look. */
export async function runWait(ctx: FunctionContext, language: ConditionLanguage, args: WaitArgs): Promise<undefined> {
  const timeoutMs = parseTimeoutMs('timeout', await ctx.render(args.timeout))
  const anyOf = await prepare(ctx, language, args.conditions.anyOf)
  const allOf = await prepare(ctx, language, args.conditions.allOf)
  const until = await deadlineOf(ctx, timeoutMs)
  const warned = new Set<string>()
  let failure: unknown
  const met = await pollUntil(ctx, until, async () => {
    const round = new Round(ctx)
    const isMet = (await round.any(anyOf)) || (await round.all(allOf))
    failure = round.failure
    warnOnce(ctx, failure, warned)
    return isMet || undefined
  })
  if (met === undefined) throw timedOut(failure)
  return undefined
}

async function prepare(
  ctx: FunctionContext,
  language: ConditionLanguage,
  conditions: readonly ConditionArgs[] = [],
): Promise<Condition[]> {
  const prepared: Condition[] = []
  for (const { condition, objectReference } of conditions) {
    const ref: Record<string, string> = {}
    for (const [field, value] of Object.entries(objectReference)) ref[field] = (await ctx.render(String(value))).trim()
    const { name = '', namespace } = ref
    const resource = resourceOfReference(ref)
    if (!name || !resource.resource || !resource.version) {
      throw functionError('FUNCTION_BAD_ARGS', 'an objectReference came out without apiVersion, resource or name')
    }
    prepared.push({
      resource,
      key: { name, ...(namespace ? { namespace } : {}) },
      holds: ctx.condition(language, condition),
    })
  }
  return prepared
}

/** One look at everything; an object that several conditions ask for is fetched once. */
class Round {
  /** Why the last condition could not be judged. */
  failure: unknown
  readonly #ctx: FunctionContext
  readonly #objects = new Map<string, Promise<Live<Unstructured>>>()

  constructor(ctx: FunctionContext) {
    this.#ctx = ctx
  }

  async any(conditions: readonly Condition[]): Promise<boolean> {
    for (const condition of conditions) if (await this.#holds(condition)) return true
    return false
  }

  async all(conditions: readonly Condition[]): Promise<boolean> {
    for (const condition of conditions) if (!(await this.#holds(condition))) return false
    return conditions.length > 0
  }

  async #holds(condition: Condition): Promise<boolean> {
    try {
      return condition.holds(await this.#get(condition))
    } catch (error) {
      this.#ctx.signal.throwIfAborted()
      this.failure = error
      return false
    }
  }

  #get({ resource, key }: Condition): Promise<Live<Unstructured>> {
    const id = JSON.stringify([resource, key])
    const found = this.#objects.get(id) ?? this.#ctx.kube.resource(resource).get(key, { signal: this.#ctx.signal })
    this.#objects.set(id, found)
    return found
  }
}

/** A right that is missing may still be granted, but somebody must know of it before the time is over. */
function warnOnce(ctx: FunctionContext, failure: unknown, warned: Set<string>): void {
  if (!kubeError.is(failure) || nextOf(failure) !== 'stop' || failure.code === 'KUBE_NOT_FOUND') return
  if (warned.has(failure.code)) return
  warned.add(failure.code)
  ctx.warn(`still waiting, but a condition cannot be judged: ${messageOf(failure)}`)
}

function timedOut(failure: unknown): Error {
  const text =
    'Failed to wait for the condition to be met: Context done while polling: context deadline exceeded; look at the object, or raise timeout'
  const why = failure === undefined ? '' : `${messageOf(failure)}: `
  return functionError('FUNCTION_WAIT_TIMEOUT', `${why}${text}`, { cause: failure })
}
