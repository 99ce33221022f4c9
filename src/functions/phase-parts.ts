import { createHash } from 'node:crypto'
import type { PhaseProgress } from '../api/actionset.ts'
import { mapBounded } from '../base/semaphore.ts'
import { freeObject, object } from '../schema/build.ts'
import { fits } from '../schema/check.ts'
import type { FunctionContext } from './context.ts'

/** A phase that does the same for several pods, or has two things to remember: each part has a checkpoint of its own in the Run. */
export const PartsCheckpoint = object({ parts: freeObject('Checkpoint of each part, by its name.') })

/**
 * Contexts for the parts of a phase. A part has its own checkpoint and its own derived names, the same in each attempt; what the
 * parts report as progress is added up.
 */
export function partContexts(
  ctx: FunctionContext,
  names: readonly string[],
): (name: string, signal?: AbortSignal) => FunctionContext {
  const states: Record<string, unknown> = { ...(fits(PartsCheckpoint, ctx.resumed) ? ctx.resumed.parts : {}) }
  const reports = new Map<string, PhaseProgress>()
  const prefixOf = (prefix: string, name: string): string =>
    `${prefix}${createHash('sha256').update(name).digest('hex').slice(0, 8)}-`
  return (name, signal = ctx.signal) => ({
    ...ctx,
    signal,
    resumed: states[name],
    checkpoint: (state) => {
      states[name] = state
      return ctx.checkpoint({ parts: { ...states } })
    },
    progress: (report) => {
      reports.set(name, { ...reports.get(name), ...report })
      ctx.progress(sumOf([...reports.values()], names.length))
    },
    deriveName: (prefix) => ctx.deriveName(prefixOf(prefix, name)),
    earlierNames: (prefix) => ctx.earlierNames(prefixOf(prefix, name)),
  })
}

/** Does the work for each part, at most `limit` at once. The first failure ends the others and is thrown. */
export function eachPart<T>(
  ctx: FunctionContext,
  names: readonly string[],
  limit: number,
  work: (part: FunctionContext, name: string) => Promise<T>,
): Promise<T[]> {
  const partOf = partContexts(ctx, names)
  return mapBounded(names, limit, (name, signal) => work(partOf(name, signal), name), ctx.signal)
}

const sums = ['sizeUploadedB', 'sizeDownloadedB', 'estimatedUploadSizeB'] as const

function sumOf(reports: readonly PhaseProgress[], count: number): Parameters<FunctionContext['progress']>[0] {
  const totals = sums.flatMap((field) => {
    const given = reports.flatMap((report) => report[field] ?? [])
    return given.length === 0 ? [] : [[field, given.reduce((sum, bytes) => sum + bytes, 0)]]
  })
  const percents = reports.flatMap(({ progressPercent }) => (progressPercent === undefined ? [] : [Number(progressPercent)]))
  const share = percents.reduce((sum, percent) => sum + percent, 0) / count
  return { ...Object.fromEntries(totals), ...(percents.length === 0 ? {} : { progressPercent: String(Math.floor(share)) }) }
}
