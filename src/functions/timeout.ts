import { parseDuration } from '../template/go/parse-duration.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'

/** Milliseconds of a duration as Go writes it (`90s`, `1h30m`). FUNCTION_BAD_ARGS names the argument. */
export function parseTimeoutMs(name: string, text: string): number {
  const nanos = parseDuration(text.trim())
  if (nanos !== undefined && nanos >= 0n) return Number(nanos / 1_000_000n)
  throw functionError(
    'FUNCTION_BAD_ARGS',
    `${name}: time: invalid duration ${JSON.stringify(text)}; write it as 90s, 5m or 1h30m`,
  )
}

/** When a wait ends, in epoch ms: the same for an attempt that takes over, since the checkpoint holds it. */
export async function deadlineOf(
  ctx: Pick<FunctionContext, 'clock' | 'checkpoint' | 'resumed'>,
  timeoutMs: number,
): Promise<number> {
  const known = (ctx.resumed as { readonly until?: unknown } | null | undefined)?.until
  if (typeof known === 'number') return known
  const until = ctx.clock.now() + timeoutMs
  await ctx.checkpoint({ until })
  return until
}
