import { list, object, optional, text, withDefault } from '../schema/build.ts'
import type { FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { readJobCheckpoint } from './job-checkpoint.ts'
import { mainContainer } from './job-pod.ts'
import { podArgs } from './pod-args.ts'
import { jobPodRules } from './rights.ts'
import { type JobPod, checkpointResult, removeJobPod, waitJobDone, withJobPod } from './run-job-pod.ts'
import { secretValuesOf } from './secret-values.ts'
import { TaskOutput } from './task-output.ts'

export const kubeTask = defineFunction({
  name: 'KubeTask',
  summary: 'Runs a command in a pod of its own. What it prints with `kando output`, on stdout or stderr, becomes outputs.',
  args: object({
    image: text('Image of the pod.'),
    command: list(text('A word.'), 'The command and its arguments. There is no shell unless you name one.'),
    namespace: withDefault(optional(text('Namespace of the pod. Default: that of the engine.')), ''),
    ...podArgs,
  }),
  outputs: {},
  reportsMarkers: true,
  positional: ['namespace', 'image', 'command'],
  makesPods: true,
  rbac: jobPodRules,
  resume: 'adopt',
  async run(ctx, args) {
    const before = readJobCheckpoint(ctx.resumed)
    if (before?.step === 'finished') {
      await removeJobPod(ctx, before, ctx.signal)
      return before.outputs ?? {}
    }
    const { image, command, namespace } = args
    const request = { prefix: 'kanister-job-', namespace, image, command, args, adopt: true, passJobId: true }
    return withJobPod(ctx, request, async (pod) => {
      const outputs = await followJob(ctx, pod)
      await checkpointResult(ctx, pod, outputs)
      return outputs
    })
  },
})

/** Reads the log to its end, then the verdict. A marker that cannot be read ends the phase at once. */
async function followJob(ctx: FunctionContext, pod: JobPod): Promise<Record<string, string>> {
  const log = ctx.log.child({ Pod: pod.name, Container: mainContainer })
  const output = new TaskOutput({ log, secrets: secretValuesOf(ctx.params), markers: true })
  for await (const line of ctx.kube.pods.logLines(pod, { container: mainContainer, signal: ctx.signal })) {
    output.take(line)
    if (output.broken) break
  }
  const outputs = output.outputs() ?? {}
  await waitJobDone(ctx, pod, output.tail)
  return outputs
}
