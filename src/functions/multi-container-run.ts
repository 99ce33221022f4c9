import { kinds } from '../kube/kinds.ts'
import { list, object, optional, text, withDefault } from '../schema/build.ts'
import type { FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { multiContainers, planMultiContainerPod } from './multi-container-pod.ts'
import { podArgs } from './pod-args.ts'
import { jobPodRules } from './rights.ts'
import { type JobPod, type PlannedJob, waitJobDone } from './run-job-pod.ts'
import { readTaskLog, runTask } from './run-task.ts'

const words = (description: string): ReturnType<typeof list<ReturnType<typeof text>>> => list(text('A word.'), description)

export const multiContainerRun = defineFunction({
  name: 'MultiContainerRun',
  summary:
    'Runs two commands side by side in one pod that share a volume: `background` makes the data, `output` takes it, or the other way round. What `output` prints with `kando output` becomes outputs.',
  args: object({
    backgroundImage: text('Image of the container `background`.'),
    backgroundCommand: words('Its command.'),
    outputImage: text('Image of the container `output`.'),
    outputCommand: words('Its command.'),
    initImage: withDefault(optional(text('Image of the container `init`, which runs before both. Empty: there is none.')), ''),
    initCommand: withDefault(optional(words('Its command, such as `mkfifo /tmp/data`.')), []),
    namespace: withDefault(optional(text('Namespace of the pod. Default: that of the engine.')), ''),
    sharedVolumeMedium: withDefault(optional(text('`Memory`, or empty for the disk of the node.')), ''),
    sharedVolumeSizeLimit: withDefault(optional(text('Size limit of the shared volume, such as `1Gi`.')), ''),
    sharedVolumeDir: withDefault(optional(text('Where all containers see the shared volume.')), '/tmp/'),
    ...podArgs,
  }),
  outputs: {},
  reportsMarkers: true,
  notes: [
    'The phase succeeds when `output` and `background` have both ended well; a `background` that fails ends it at once, even if `output` still waits for data. Sidecars of an override do not keep it from ending.',
    'The pod is removed when the phase ends; in Kanister it stays until the ActionSet ends.',
    'In a podOverride, of the ActionSet or of the phase, an entry named `container` counts for each of the containers that are there and not named themselves.',
    'The label createdBy=kanister cannot be overwritten. Secure defaults for job pods apply here too.',
  ],
  makesPods: true,
  rbac: jobPodRules,
  resume: 'adopt',
  async run(ctx, args) {
    const given = {
      ...args,
      initImage: args.initImage ?? '',
      initCommand: args.initCommand ?? [],
      sharedVolumeMedium: args.sharedVolumeMedium ?? '',
      sharedVolumeSizeLimit: args.sharedVolumeSizeLimit ?? '',
      sharedVolumeDir: args.sharedVolumeDir || '/tmp/',
    }
    const request: PlannedJob = {
      prefix: 'kanister-job-',
      namespace: args.namespace,
      adopt: true,
      plan: (place, secrets) => planMultiContainerPod(given, place, secrets, ctx),
    }
    return runTask(ctx, request, (pod) => followBoth(ctx, pod))
  },
})

/** Whoever of the two fails first ends both: what is left would wait at the shared volume for ever. */
async function followBoth(ctx: FunctionContext, pod: JobPod): Promise<Record<string, string>> {
  await checkInit(ctx, pod)
  const own = new AbortController()
  const signal = AbortSignal.any([ctx.signal, own.signal])
  const background = waitJobDone(ctx, pod, { container: multiContainers.background, signal })
  background.catch((error: unknown) => own.abort(error)) // thrown below
  try {
    const container = multiContainers.output
    const output = await readTaskLog(ctx, pod, { container, signal })
    const outputs = output.outputs() ?? {}
    await waitJobDone(ctx, pod, { container, signal, tail: output.tail })
    await background
    return outputs
  } finally {
    own.abort(new Error('the job is over'))
  }
}

/** A pod whose init container failed has started, as Kubernetes sees it, but the other containers never will. */
async function checkInit(ctx: FunctionContext, pod: JobPod): Promise<void> {
  const live = await ctx.kube.resource(kinds.pods).find(pod, { signal: ctx.signal })
  const failed = live?.status?.initContainerStatuses?.find(({ state }) => (state?.terminated?.exitCode ?? 0) !== 0)
  if (failed) await waitJobDone(ctx, pod, { container: failed.name })
}
