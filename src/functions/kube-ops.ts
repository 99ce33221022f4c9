import { ObjectReference } from '../api/object-reference.ts'
import { flag, object, oneOf, optional, text, withDefault } from '../schema/build.ts'
import { createObjects } from './create-objects.ts'
import { defineFunction } from './define.ts'
import { deleteObject } from './delete-object.ts'
import { patchObject } from './patch-object.ts'
import { builtInRules } from './rights.ts'
import { parseTimeoutMs } from './timeout.ts'

const operations = ['create', 'delete', 'patch']

export const kubeOps = defineFunction({
  name: 'KubeOps',
  summary: 'Creates objects of the cluster, deletes one, or patches one.',
  args: object({
    operation: text('`create`, `delete` or `patch`.'),
    spec: optional(
      text(
        'YAML or JSON: the objects to create, in one or more documents or in a list; or the patch. Required for create and patch.',
      ),
    ),
    namespace: withDefault(
      optional(text('Namespace where the object or reference names none. Of no effect on cluster-wide kinds.')),
      'default',
    ),
    objectReference: optional({
      ...ObjectReference,
      description: 'The object to delete or patch: apiVersion (the version alone), group, resource (plural), name, namespace.',
    }),
    patchType: optional(
      oneOf(
        ['strategic', 'merge', 'json'],
        'Kind of patch. Default: strategic, and merge for custom resources, which do not take the former.',
      ),
    ),
    ignoreNotFound: withDefault(optional(flag('Deleting what is not there is success.')), false),
    timeout: withDefault(optional(text('How long to wait until a deleted object is gone: a duration such as `90s`.')), '15m'),
  }),
  outputs: {
    apiVersion: 'Version of the object, without its group. After create all outputs are those of the last object.',
    group: 'Its group, empty for core.',
    resource: 'Its resource, plural.',
    kind: 'As given in the reference, else empty.',
    name: 'Its name, also where it was generated.',
    namespace: 'Its namespace; absent for cluster-wide kinds.',
  },
  notes: [
    'The server says which kinds live in namespaces, so cluster-wide objects can be deleted and patched too, and a namespace in one document has no effect on the next.',
    'Objects are created in order up to the first failure; those made before stay. What exists already is a failure.',
    'delete waits until the object is gone and no longer than `timeout`; in Kanister it waits for ever.',
    '`namespace` counts for patch too, and custom resources can be patched; in Kanister neither works.',
    'Custom and cluster-wide kinds need rights (`get`, `create`, `patch`, `delete`) of your own: a ClusterRole labelled `holdfast.dev/aggregate-to-engine: "true"`.',
  ],
  rbac: builtInRules(['get', 'create', 'patch', 'delete']),
  resume: 'continue',
  checkArgs: ({ operation, spec, objectReference: ref }) => {
    if (!operations.includes(operation)) return [`invalid operation '${operation}'; it is one of ${operations.join(', ')}`]
    const needsSpec = operation !== 'delete'
    const needsReference = operation !== 'create'
    return [
      ...(needsSpec && spec === undefined ? [`operation ${operation} needs spec`] : []),
      ...(needsReference && !ref ? [`operation ${operation} needs objectReference`] : []),
      ...(needsReference && ref
        ? (['apiVersion', 'resource', 'name'] as const)
            .filter((field) => !ref[field])
            .map((field) => `objectReference lacks ${field}`)
        : []),
    ]
  },
  async run(ctx, args) {
    const { operation, spec = '', objectReference: reference = {} } = args
    const namespace = args.namespace || 'default'
    if (operation === 'create') return createObjects(ctx, { spec, namespace })
    if (operation === 'patch') return patchObject(ctx, { reference, namespace, spec, type: args.patchType })
    const timeoutMs = parseTimeoutMs('timeout', args.timeout ?? '15m')
    return deleteObject(ctx, { reference, namespace, timeoutMs, ignoreNotFound: args.ignoreNotFound ?? false })
  },
})
