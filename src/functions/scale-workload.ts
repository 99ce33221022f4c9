import { flag, integer, object, optional, text, withDefault } from '../schema/build.ts'
import { type FunctionContext } from './context.ts'
import { defineFunction } from './define.ts'
import { functionError } from './errors.ts'

export const scaleWorkload = defineFunction({
  name: 'ScaleWorkload',
  summary: 'Sets the replica count of a StatefulSet, Deployment or DeploymentConfig and waits until it is reached.',
  args: object({
    replicas: integer('Replicas to reach. A number in a text is a number: `"{{ … }}"` works.', {
      minimum: 0,
      maximum: 2 ** 31 - 1,
    }),
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
  async run(ctx, args) {
    const workload = { ...workloadOf(ctx), ...given(args) }
    const { kind, namespace, name } = workload
    if (!kind || !namespace || !name) {
      throw functionError(
        'FUNCTION_BAD_ARGS',
        'ScaleWorkload: the action acts on no workload, so namespace, name and kind must all be given',
      )
    }
    const known = originalOf(ctx.resumed)
    const { previous } = await ctx.kube.workloads.scale({ kind, namespace, name }, args.replicas, {
      signal: ctx.signal,
      waitForReady: args.waitForReady ?? true,
      // A resumed try finds the count that the earlier one set; what counts is the one before.
      beforeChange: async (previous) => {
        if (known === undefined) await ctx.checkpoint({ originalReplicaCount: previous })
      },
    })
    return { originalReplicaCount: known ?? previous, scaledReplicaCount: args.replicas }
  },
})

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
