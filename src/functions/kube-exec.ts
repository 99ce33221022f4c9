import { list, object, text } from '../schema/build.ts'
import type { ContainerName } from './container-name.ts'
import { defineFunction } from './define.ts'
import { dropCommands, noteContainers, onceNote } from './kept-command.ts'
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
  notes: [onceNote],
  resume: 'adopt',
  drains: true,
  prepare: (ctx, args) => noteContainers(ctx, args.namespace, [targetOf(args)]),
  async run(ctx, args) {
    const output = await runInContainer(ctx, targetOf(args), args.command)
    return output.outputs()
  },
  abandon: dropCommands,
})

function targetOf({ namespace, pod, container }: ContainerName): ContainerName {
  return { namespace, pod, container }
}
