import { mapBounded } from '../base/semaphore.ts'
import { fits } from '../schema/check.ts'
import type { FunctionContext } from './context.ts'
import type { PhaseFunction } from './define.ts'
import { type JobCheckpoint, readJobCheckpoint } from './job-checkpoint.ts'
import { PartsCheckpoint } from './phase-parts.ts'
import { removeJobPod } from './run-job-pod.ts'

/**
 * Ends what an earlier attempt of a phase left in the cluster, when nobody goes on with it: pods that its checkpoint names, and what the
 * function itself knows of. `ctx.resumed` is that checkpoint. `forGood`: nothing comes after it, so what that attempt may only now begin is waited for.
 */
export async function abandon(
  ctx: FunctionContext,
  fn: Pick<PhaseFunction, 'abandon'>,
  { forGood }: { readonly forGood: boolean },
): Promise<void> {
  const jobs = jobsIn(ctx.resumed)
  if (jobs.length === 0 && !fn.abandon) return
  if (forGood) await ctx.untilAlone(ctx.signal)
  await mapBounded(jobs, 8, (job, signal) => removeJobPod(ctx, job, signal), ctx.signal)
  await fn.abandon?.(ctx)
}

/** A phase of several parts has a checkpoint for each. */
function jobsIn(checkpoint: unknown): readonly JobCheckpoint[] {
  const job = readJobCheckpoint(checkpoint)
  if (job) return [job]
  return fits(PartsCheckpoint, checkpoint) ? Object.values(checkpoint.parts).flatMap(jobsIn) : []
}
