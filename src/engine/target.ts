import type { ObjectReference } from '../api/object-reference.ts'
import type { FrozenInputs } from '../api/run.ts'
import { messageOf, nextOf } from '../base/errors.ts'
import { kinds } from '../kube/kinds.ts'
import { defineResource, resourceOfReference, type Live, type Unstructured } from '../kube/objects.ts'
import type { JsonObject, TemplateParams, WorkloadParams } from '../template/variables.ts'
import { runError } from './errors.ts'
import { placeOf, type ClusterReader } from './references.ts'

/** The object an action acts on, as it is kept in the Run. */
export interface FrozenTarget {
  readonly object: NonNullable<FrozenInputs['object']>
  readonly workload?: NonNullable<FrozenInputs['workload']>
}

const workloadKinds = ['statefulset', 'deployment', 'deploymentconfig']

/** Looks at the object as it is now. A missing one fails with the API's own words. */
export async function freezeTarget(reader: ClusterReader, ref: ObjectReference, signal: AbortSignal): Promise<FrozenTarget> {
  const kind = (ref.kind ?? '').toLowerCase()
  if (workloadKinds.includes(kind)) return freezeWorkload(reader, kind, ref, signal)
  if (kind === 'pvc') {
    const { group, version, resource } = kinds.persistentVolumeClaims
    const claims = reader.resource(defineResource<Unstructured>({ group, version, resource }))
    return { object: withoutManagers(await claims.get(placeOf(ref, resource), { signal })) }
  }
  if (kind === 'namespace') return { object: await getGeneric(reader, namespaceReference(ref), signal) }
  const object = await getGeneric(reader, ref, signal)
  return { object: isSecret(ref) ? withoutContents(object) : object }
}

/** The contents of a Secret are not kept in a Run: such an object is read anew by each attempt. */
export async function thawTarget(
  reader: ClusterReader,
  ref: ObjectReference,
  frozen: FrozenInputs,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  if (!isSecret(ref)) return frozen.object as JsonObject | undefined
  return (await getGeneric(reader, ref, signal)) as JsonObject
}

/** `.StatefulSet`, `.Deployment`, `.DeploymentConfig`, `.PVC`, `.Namespace`: at most one of them. */
export function targetParams(ref: ObjectReference, frozen: FrozenInputs): Partial<TemplateParams> {
  const { name: Name = '', namespace: Namespace = '' } = ref
  switch ((ref.kind ?? '').toLowerCase()) {
    case 'statefulset':
      return { StatefulSet: frozen.workload as unknown as WorkloadParams }
    case 'deployment':
      return { Deployment: frozen.workload as unknown as WorkloadParams }
    case 'deploymentconfig':
      return { DeploymentConfig: frozen.workload as unknown as WorkloadParams }
    case 'pvc':
      return { PVC: { Name, Namespace } }
    case 'namespace':
      return { Namespace: { Name: Namespace, Namespace } }
    default:
      return {}
  }
}

async function freezeWorkload(
  reader: ClusterReader,
  kind: string,
  ref: ObjectReference,
  signal: AbortSignal,
): Promise<FrozenTarget> {
  const place = placeOf(ref, `${kind}s`)
  const facts = await reader.workloads.describe({ kind, ...place }, { signal })
  const workload: WorkloadParams = {
    Name: facts.name,
    Namespace: facts.namespace,
    Pods: facts.pods,
    Containers: facts.containers,
    PersistentVolumeClaims: facts.persistentVolumeClaims,
  }
  return { object: withoutManagers(facts.object), workload: { ...workload } }
}

async function getGeneric(reader: ClusterReader, ref: ObjectReference, signal: AbortSignal): Promise<Record<string, unknown>> {
  const { group, version, resource } = resourceOfReference(ref)
  const { name = '', namespace = '' } = ref
  const what = `name: ${name}, namespace: ${namespace}, group: ${group}, version: ${version}, resource: ${resource}`
  if (name === '' || version === '' || resource === '') {
    throw runError(
      'RUN_BAD_REFERENCE',
      `could not fetch object ${what}: name, apiVersion and resource must be set for this kind of object`,
    )
  }
  const def = defineResource<Unstructured>({ group, version, resource, namespaced: namespace !== '' })
  try {
    return withoutManagers(await reader.resource(def).get({ name, ...(namespace ? { namespace } : {}) }, { signal }))
  } catch (error) {
    signal.throwIfAborted()
    // A server that does not answer says nothing about the reference: the launch asks it again.
    if (nextOf(error) === 'retry') throw error
    throw runError('RUN_BAD_REFERENCE', `could not fetch object ${what}: ${messageOf(error)}`, { cause: error })
  }
}

/** Fetched by its name, cluster scope; templates take its name from `namespace`, which kanctl sets to the same. */
function namespaceReference(ref: ObjectReference): ObjectReference {
  return { apiVersion: 'v1', group: '', resource: 'namespaces', name: ref.name || ref.namespace || '', namespace: '' }
}

function isSecret(ref: ObjectReference): boolean {
  const { group, resource } = resourceOfReference(ref)
  return group === '' && resource === 'secrets'
}

function withoutContents(object: Record<string, unknown>): Record<string, unknown> {
  const { data: _data, stringData: _stringData, ...rest } = object
  return rest
}

function withoutManagers(object: Live<Unstructured>): Record<string, unknown> {
  const { managedFields: _managed, ...metadata } = object.metadata as typeof object.metadata & { managedFields?: unknown }
  return { ...object, metadata }
}
