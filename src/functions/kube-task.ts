import { list, object, optional, text, withDefault } from '../schema/build.ts'
import { defineFunction } from './define.ts'
import { podArgs } from './pod-args.ts'
import { jobPodRules } from './rights.ts'
import { waitJobDone } from './run-job-pod.ts'
import { readTaskLog, runTask } from './run-task.ts'

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
    const { image, command, namespace } = args
    const request = { prefix: 'kanister-job-', namespace, image, command, args, adopt: true, passJobId: true }
    return runTask(ctx, request, async (pod) => {
      const output = await readTaskLog(ctx, pod)
      const outputs = output.outputs() ?? {}
      await waitJobDone(ctx, pod, { tail: output.tail })
      return outputs
    })
  },
})
