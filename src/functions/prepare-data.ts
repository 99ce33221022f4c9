import { flag, list, map, object, optional, text, withDefault } from '../schema/build.ts'
import { resolveClaims } from './claims.ts'
import type { FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'
import { podArgs } from './pod-args.ts'
import { jobPodRules } from './rights.ts'
import { type JobPod, waitJobDone } from './run-job-pod.ts'
import { readTaskLog, runTask } from './run-task.ts'

const mountRoot = '/mnt/prepare_data'

export const prepareData = defineFunction({
  name: 'PrepareData',
  summary:
    'Runs a command in a pod that has volumes of the application mounted. What it prints with `kando output` becomes outputs.',
  args: object({
    namespace: text('Namespace of the pod and of the claims.'),
    image: text('Image of the pod.'),
    command: list(text('A word.'), 'The command and its arguments. There is no shell unless you name one.'),
    volumes: withDefault(
      optional(
        map(
          text('Mount path.'),
          `Claims to mount, each with its path. Default: all of the workload acted on, at \`${mountRoot}/<claim>\`.`,
        ),
      ),
      {},
    ),
    serviceaccount: withDefault(optional(text('Service account of the pod.')), ''),
    failOnError: withDefault(optional(flag('A command that ends with an error fails the phase.')), false),
    ...podArgs,
  }),
  outputs: {},
  reportsMarkers: true,
  notes: [
    'Without `failOnError` a command that ends with an error is no failure, as in Kanister, but a warning in the status of the action; set it to true.',
    'A pod that was evicted or otherwise ended without an exit code is a failure in any case.',
  ],
  aliases: { serviceAccount: 'serviceaccount' },
  positional: ['namespace', 'image', 'command'],
  makesPods: true,
  rbac: jobPodRules,
  resume: 'adopt',
  async run(ctx, args) {
    const { namespace, image, command, serviceaccount: serviceAccount } = args
    const given = args.volumes ?? {}
    const volumes = await resolveClaims(ctx, namespace, Object.keys(given).length > 0 ? given : workloadVolumes(ctx))
    const request = { prefix: 'prepare-data-job-', adopt: true, namespace, image, command, serviceAccount, volumes, args }
    const outputs = await runTask(ctx, request, (pod) => follow(ctx, pod, args.failOnError ?? false))
    return Object.keys(outputs).length > 0 ? outputs : undefined
  },
})

/** Of the Deployment or StatefulSet as it was when the action began: it may have no pods by now. */
function workloadVolumes({ params }: FunctionContext): Record<string, string> {
  const workload = params.Deployment ?? params.StatefulSet ?? params.DeploymentConfig
  if (!workload) {
    throw functionError('FUNCTION_BAD_ARGS', 'Failed to get volumes: the action acts on no workload; give `volumes`')
  }
  const claims = Object.values(workload.PersistentVolumeClaims ?? {}).flatMap((mounts) => Object.keys(mounts))
  if (claims.length > 0) return Object.fromEntries(claims.map((claim) => [claim, `${mountRoot}/${claim}`]))
  throw functionError(
    'FUNCTION_BAD_ARGS',
    `No volumes found: when the action began, ${workload.Namespace}/${workload.Name} had no running pod with claims; give \`volumes\``,
  )
}

async function follow(ctx: FunctionContext, pod: JobPod, failOnError: boolean): Promise<Record<string, string>> {
  const output = await readTaskLog(ctx, pod)
  const outputs = output.outputs() ?? {}
  try {
    await waitJobDone(ctx, pod, { tail: output.tail })
  } catch (error) {
    if (failOnError || !isExit(error)) throw error
    ctx.warn(`the command of PrepareData failed and failOnError is not set, so the phase goes on: ${error.message}`)
  }
  return outputs
}

function isExit(error: unknown): error is Error {
  return functionError.is(error, 'FUNCTION_POD_FAILED') && error.details['exitCode'] !== undefined
}
