import { flag, object, optional, text, withDefault } from '../schema/build.ts'
import { type FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'

export const scaleWorkload = defineFunction({
  name: 'ScaleWorkload',
  summary: 'Sets the replica count of a StatefulSet, Deployment or DeploymentConfig and waits until it is reached.',
  args: object({
    replicas: text('Replicas to reach: a number, or a text that holds one. An empty text is refused, since it would mean 0.'),
    namespace: optional(text('Its namespace. Default: the workload acted on.')),
    name: optional(text('Its name. Default: the workload acted on.')),
    kind: optional(text('StatefulSet, Deployment or DeploymentConfig, in any case. Default: the workload acted on.')),
    waitForReady: withDefault(optional(flag('Wait until the count is reached and the pods are ready.')), true),
  }),
  outputs: {
    originalReplicaCount: 'Replicas before the change, as a number. After a crash still the count before the first try.',
    scaledReplicaCount: 'Replicas asked for, as a number.',
  },
  rbac: [
    { apiGroups: [''], resources: ['pods', 'replicationcontrollers'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['statefulsets', 'deployments', 'replicasets'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['statefulsets/scale', 'deployments/scale'], verbs: ['get', 'update', 'patch'] },
    { apiGroups: ['apps.openshift.io'], resources: ['deploymentconfigs'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps.openshift.io'], resources: ['deploymentconfigs/scale'], verbs: ['get', 'update', 'patch'] },
  ],
  resume: 'continue',
  checkArgs: ({ replicas }) =>
    replicasOf(replicas) === undefined ? [`replicas must be a whole number from 0 to ${maxReplicas}`] : [],
  async run(ctx, args) {
    const workload = { ...workloadOf(ctx), ...given(args) }
    const { kind, namespace, name } = workload
    if (!kind || !namespace || !name) {
      throw functionError(
        'FUNCTION_BAD_ARGS',
        'ScaleWorkload: the action acts on no workload, so namespace, name and kind must all be given',
      )
    }
    const replicas = replicasOf(args.replicas) ?? 0
    const known = originalOf(ctx.resumed)
    const { previous } = await ctx.kube.workloads.scale({ kind, namespace, name }, replicas, {
      signal: ctx.signal,
      waitForReady: args.waitForReady ?? true,
      // A resumed try finds the count that the earlier one set; what counts is the one before.
      beforeChange: async (previous) => {
        if (known === undefined) await ctx.checkpoint({ originalReplicaCount: previous })
      },
    })
    return { originalReplicaCount: known ?? previous, scaledReplicaCount: replicas }
  },
})

const maxReplicas = 2 ** 31 - 1

/** As strict as Kanister: `"1.0"` and the empty text are no numbers. */
function replicasOf(text: string): number | undefined {
  const count = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : -1
  return count >= 0 && count <= maxReplicas ? count : undefined
}

interface WorkloadName {
  readonly kind?: string | undefined
  readonly namespace?: string | undefined
  readonly name?: string | undefined
}

function workloadOf({ params }: Pick<FunctionContext, 'params'>): WorkloadName {
  for (const kind of ['StatefulSet', 'Deployment', 'DeploymentConfig'] as const) {
    const workload = params[kind]
    if (workload) return { kind, namespace: workload.Namespace, name: workload.Name }
  }
  return {}
}

function given(args: WorkloadName): WorkloadName {
  const { kind, namespace, name } = args
  return {
    ...(kind !== undefined && { kind }),
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
  }
}

function originalOf(checkpoint: unknown): number | undefined {
  const count = (checkpoint as { originalReplicaCount?: unknown } | null | undefined)?.originalReplicaCount
  return typeof count === 'number' ? count : undefined
}
