import type { FunctionContext } from './context.ts'
import { readJobCheckpoint } from './job-checkpoint.ts'
import { mainContainer } from './job-pod.ts'
import { type JobPod, type JobRequest, checkpointResult, removeJobPod, withJobPod } from './run-job-pod.ts'
import { secretValuesOf } from './secret-values.ts'
import { TaskOutput } from './task-output.ts'

type Outputs = Record<string, string>

/**
 * A pod whose log is its result: made, followed, removed. An attempt that takes over follows the pod of the earlier one, or finds the
 * outputs in its checkpoint.
 */
export async function runTask(
  ctx: FunctionContext,
  request: JobRequest,
  follow: (pod: JobPod) => Promise<Outputs>,
): Promise<Record<string, unknown>> {
  const before = readJobCheckpoint(ctx.resumed)
  if (before?.step === 'finished') {
    await ctx.untilAlone(ctx.signal)
    await removeJobPod(ctx, before, ctx.signal)
    return before.outputs ?? {}
  }
  return withJobPod(ctx, request, async (pod) => {
    const outputs = await follow(pod)
    await checkpointResult(ctx, pod, outputs)
    return outputs
  })
}

/** Reads a container's log to its end, or to a marker that cannot be read: that ends the phase at once. */
export async function readTaskLog(
  ctx: FunctionContext,
  pod: JobPod,
  { container = mainContainer, signal = ctx.signal }: { readonly container?: string; readonly signal?: AbortSignal } = {},
): Promise<TaskOutput> {
  const log = ctx.log.child({ Pod: pod.name, Container: container })
  const output = new TaskOutput({ log, secrets: secretValuesOf(ctx.params), markers: true })
  for await (const line of ctx.kube.pods.logLines(pod, { container, signal })) {
    output.take(line)
    if (output.broken) break
  }
  return output
}
