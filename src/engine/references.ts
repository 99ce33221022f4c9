import type { ObjectReference } from '../api/object-reference.ts'
import type { FrozenReference } from '../api/run.ts'
import { kinds, type ConfigMap, type Secret } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Live } from '../kube/objects.ts'
import type { ConfigMapParams, SecretParams } from '../template/variables.ts'
import { runError } from './errors.ts'

/** What the engine reads of the cluster to fill the templates' variables. */
export type ClusterReader = Pick<Kube, 'resource' | 'workloads'>

export type References = Readonly<Record<string, ObjectReference>>

/** Secrets and ConfigMaps by the names that templates use for them. */
export interface Fetched {
  readonly secrets: Readonly<Record<string, SecretParams>>
  readonly configMaps: Readonly<Record<string, ConfigMapParams>>
}

export const nothingFetched: Fetched = { secrets: {}, configMaps: {} }

/** The `objects` of a phase: only Secrets and ConfigMaps count, as in Kanister; other kinds are passed over. */
export async function fetchObjects(reader: ClusterReader, refs: References, signal: AbortSignal): Promise<Fetched> {
  const ofKind = (kind: string): References =>
    Object.fromEntries(Object.entries(refs).filter(([, ref]) => ref.kind?.toLowerCase() === kind))
  const [secrets, configMaps] = await inOrder([
    fetchSecrets(reader, ofKind('secret'), signal),
    fetchConfigMaps(reader, ofKind('configmap'), signal),
  ] as const)
  return { secrets, configMaps }
}

export async function fetchSecrets(
  reader: ClusterReader,
  refs: References,
  signal: AbortSignal,
): Promise<Record<string, SecretParams>> {
  return fetchEach(refs, async (ref) => secretParams(await getSecret(reader, ref, signal)))
}

export async function fetchConfigMaps(
  reader: ClusterReader,
  refs: References,
  signal: AbortSignal,
): Promise<Record<string, ConfigMapParams>> {
  return fetchEach(refs, async (ref) => {
    const found = await reader.resource<ConfigMap>(kinds.configMaps).get(placeOf(ref, 'configmaps'), { signal })
    return withoutType(found) as ConfigMapParams
  })
}

export async function getSecret(reader: ClusterReader, ref: ObjectReference, signal: AbortSignal): Promise<Live<Secret>> {
  return reader.resource<Secret>(kinds.secrets).get(placeOf(ref, 'secrets'), { signal })
}

/** Without `kind` and `apiVersion`, which typed objects lack in Go, and without the field managers. */
export function secretParams(secret: Live<Secret>): SecretParams {
  return withoutType(secret) as SecretParams
}

export function freezeReference(params: SecretParams): FrozenReference {
  const { name = '', namespace = '', resourceVersion = '' } = (params.metadata ?? {}) as Partial<Record<string, string>>
  return { name, namespace, resourceVersion }
}

/** A reference must say where: Kanister has no default namespace, and a name in the wrong one is somebody else's object. */
export function placeOf(ref: ObjectReference, resource: string): { readonly namespace: string; readonly name: string } {
  const { name = '', namespace = '' } = ref
  if (name === '') throw runError('RUN_BAD_REFERENCE', `a reference to ${resource} has no name; set name and namespace`)
  if (namespace === '') {
    throw runError(
      'RUN_BAD_REFERENCE',
      `an empty namespace may not be set when a resource name is provided: reference to ${resource} "${name}" needs a namespace`,
    )
  }
  return { namespace, name }
}

/** All at once; of several failures the first in order is thrown, so that the message does not change from run to run. */
export async function inOrder<const Work extends readonly Promise<unknown>[]>(
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  const settled = await Promise.allSettled(work)
  for (const each of settled) {
    if (each.status === 'rejected') throw each.reason
  }
  // Every promise was fulfilled, so this is their values in order.
  return settled.map((each) => (each as PromiseFulfilledResult<unknown>).value) as never
}

async function fetchEach<T>(refs: References, fetch: (ref: ObjectReference) => Promise<T>): Promise<Record<string, T>> {
  const names = Object.keys(refs)
  const values = await inOrder(names.map((name) => fetch(refs[name] as ObjectReference)))
  return Object.fromEntries(names.map((name, index) => [name, values[index] as T]))
}

function withoutType(object: object): object {
  const {
    kind: _kind,
    apiVersion: _apiVersion,
    metadata,
    ...rest
  } = object as { kind?: string; apiVersion?: string; metadata?: object }
  const { managedFields: _managed, ...kept } = (metadata ?? {}) as { managedFields?: unknown }
  return { metadata: kept, ...rest }
}
