import { Semaphore } from '../base/semaphore.ts'
import { messageOf } from '../base/errors.ts'
import { flag, list, object, optional, text, withDefault } from '../schema/build.ts'
import type { FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { dropCommands, noteContainers, onceNote } from './kept-command.ts'
import { execRules } from './rights.ts'
import type { ContainerName } from './container-name.ts'
import { runInContainer } from './run-in-container.ts'
import { wordsOf } from './words.ts'

/** A node starts tens of commands a second; more at once only fills queues. */
const atOnce = 8

type Outputs = Record<string, string> | undefined

export const kubeExecAll = defineFunction({
  name: 'KubeExecAll',
  summary:
    'Runs one command in several containers of several pods at once. What they print with `kando output` on stdout becomes outputs.',
  args: object({
    namespace: text('Namespace of the pods.'),
    pods: text('Names of the pods, separated by blanks.'),
    containers: text('Names of the containers, separated by blanks; each must be in each pod.'),
    command: list(text('A word.'), 'The command and its arguments. There is no shell unless you name one.'),
    allowEmpty: withDefault(optional(flag('No pods or no containers is success.')), false),
  }),
  outputs: {},
  reportsMarkers: true,
  notes: [
    `At most ${atOnce} commands run at once. After a failure no further one is started; those that run go on to their end, and the error names each failure.`,
    'Of a key that several containers print, the last in the order of the arguments counts (pods first, then containers); in Kanister it is the one that ended last.',
    onceNote,
    'No pods or no containers (a template that came out empty) is a failure, unless `allowEmpty` is set; in Kanister it is a success that did nothing.',
  ],
  positional: ['namespace', 'pods', 'containers', 'command'],
  rbac: execRules,
  resume: 'adopt',
  drains: true,
  prepare: (ctx, args) => noteContainers(ctx, args.namespace, targetsOf(args)),
  async run(ctx, args) {
    const targets = targetsOf(args)
    if (targets.length === 0 && !args.allowEmpty) throw nothingToDo(args)
    return merge(await runAll(ctx, targets, args.command))
  },
  abandon: dropCommands,
})

/** In the order of the arguments, which is the order of the results. */
function targetsOf(args: { readonly namespace: string; readonly pods: string; readonly containers: string }): ContainerName[] {
  const containers = wordsOf(args.containers)
  return wordsOf(args.pods).flatMap((pod) => containers.map((container) => ({ namespace: args.namespace, pod, container })))
}

async function runAll(ctx: FunctionContext, targets: readonly ContainerName[], command: readonly string[]): Promise<Outputs[]> {
  const places = new Semaphore(atOnce)
  const failures: unknown[] = []
  const runOne = async (target: ContainerName, index: number): Promise<Outputs> => {
    if (failures.length > 0) return undefined
    try {
      return (await runInContainer(ctx, target, command)).outputs()
    } catch (error) {
      failures[index] = error
      return undefined
    }
  }
  const started = targets.map((target, index) => places.run(() => runOne(target, index), ctx.signal))
  const settled = await Promise.allSettled(started)
  ctx.signal.throwIfAborted()
  throwFailures(
    failures.filter((failure) => failure !== undefined),
    targets.length,
  )
  return settled.map((each) => (each.status === 'fulfilled' ? each.value : undefined))
}

function throwFailures(failures: readonly unknown[], count: number): void {
  if (failures.length === 0) return
  if (count === 1) throw failures[0]
  throw functionError(
    'FUNCTION_COMMAND_FAILED',
    `the command failed in ${failures.length} of ${count} containers:\n${failures.map(messageOf).join('\n')}`,
    { cause: failures[0] },
  )
}

function merge(all: readonly Outputs[]): Outputs {
  const merged = Object.assign({}, ...all) as Record<string, string>
  return Object.keys(merged).length === 0 ? undefined : merged
}

function nothingToDo({ pods }: { readonly pods: string }): Error {
  const what = wordsOf(pods).length === 0 ? 'pods' : 'containers'
  return functionError(
    'FUNCTION_BAD_ARGS',
    `KubeExecAll: there are no ${what} to run the command in; set allowEmpty: true if that is in order`,
  )
}
