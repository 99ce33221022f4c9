import { list, object, text } from '../schema/build.ts'
import { defineFunction } from './define.ts'
import { containerArgs } from './repository-args.ts'
import { execRules } from './rights.ts'
import { runInContainer } from './run-in-container.ts'

export const kubeExec = defineFunction({
  name: 'KubeExec',
  summary: 'Runs a command in a running container. What it prints with `kando output` on stdout becomes outputs.',
  args: object({
    ...containerArgs,
    command: list(text('A word.'), 'The command and its arguments. There is no shell unless you name one.'),
  }),
  outputs: {},
  reportsMarkers: true,
  positional: ['namespace', 'pod', 'container', 'command'],
  rbac: execRules,
  // Whether the command had its effect cannot be known from outside, and not every script may run twice.
  resume: 'refuse',
  async run(ctx, args) {
    const target = { namespace: args.namespace, pod: args.pod, container: args.container }
    const output = await runInContainer(ctx, target, args.command)
    return output.outputs()
  },
})
