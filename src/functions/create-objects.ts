import { kubeError } from '../kube/errors.ts'
import { describeObject, type Live, type ResourceName, type Unstructured } from '../kube/objects.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { type Manifest, parseManifests } from './manifests.ts'
import { type ObjectOutputs, objectOutputs } from './object-outputs.ts'

/** Kanister's name in `managedFields`. */
const fieldManager = 'kanister-create'

/**
 * Creates each object of `spec` in turn, in its own namespace or else in the one given; objects of cluster-wide kinds in none. The
 * outputs are those of the last. Before each create the Run holds its number, after it was seen that there is none: an attempt that takes
 * over knows that what is there under that name is ours.
 */
export async function createObjects(
  ctx: FunctionContext,
  { spec, namespace }: { readonly spec: string; readonly namespace: string },
): Promise<ObjectOutputs | undefined> {
  const manifests = parseManifests(spec)
  if (manifests.length === 0) ctx.warn('spec holds no object: nothing was created')
  const first = creatingOf(ctx.resumed)
  let last: ObjectOutputs | undefined
  for (const [index, manifest] of manifests.entries()) {
    if (index < (first ?? 0)) continue
    last = await createOne(ctx, manifest, { namespace, index, resumed: index === first })
  }
  return last
}

interface Create {
  readonly namespace: string
  readonly index: number
  /** An earlier attempt was at this object. */
  readonly resumed: boolean
}

async function createOne(ctx: FunctionContext, manifest: Manifest, create: Create): Promise<ObjectOutputs> {
  const resource = await ctx.kube.discover(manifest.apiVersion, manifest.kind, { signal: ctx.signal })
  const object = placed(manifest, resource.namespaced, create.namespace)
  const { name, namespace } = object.metadata ?? {}
  const made = name ? await findMade(ctx, resource, { name, namespace }, create.resumed) : undefined
  if (!name && create.resumed) throw unknownName(resource, object)
  if (!made && !create.resumed) await ctx.checkpoint({ creating: create.index })
  ctx.signal.throwIfAborted()
  const live = made ?? (await createOurs(ctx, resource, object))
  ctx.log.info(
    { resource: describeObject(resource, live.metadata.name), ...(namespace ? { namespace } : {}) },
    'Created object',
  )
  return objectOutputs(resource, live.metadata)
}

/** A create whose answer was lost and that was repeated meets what it made: the Run said before that there was none. */
async function createOurs(ctx: FunctionContext, resource: ResourceName, object: Unstructured): Promise<Live<Unstructured>> {
  try {
    return await ctx.kube.resource(resource).create(object, { fieldManager, signal: ctx.signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS') || error.details['mayBeOurs'] !== true) throw error
    const { name = '', namespace } = object.metadata ?? {}
    const found = await findMade(ctx, resource, { name, namespace }, true)
    if (!found) throw error
    return found
  }
}

/** Server-side scope decides, not the text: a namespace on a cluster-wide kind would lead to a path that does not exist. */
function placed({ metadata, ...rest }: Manifest, namespaced: boolean, fallback: string): Unstructured {
  const { namespace, ...others } = metadata ?? {}
  return { ...rest, metadata: namespaced ? { ...others, namespace: namespace || fallback } : others }
}

/** What an earlier attempt made; anything else of that name is KUBE_ALREADY_EXISTS. */
async function findMade(
  ctx: FunctionContext,
  resource: ResourceName,
  key: { readonly name: string; readonly namespace: string | undefined },
  resumed: boolean,
): Promise<Live<Unstructured> | undefined> {
  const found = await ctx.kube.resource(resource).find(key, { signal: ctx.signal })
  if (!found || (resumed && isOurs(found))) return found
  throw kubeError(
    'KUBE_ALREADY_EXISTS',
    `${describeObject(resource, key.name)} already exists; delete it first, or choose a name with {{ .Time }} in it`,
  )
}

function isOurs({ metadata }: Live<Unstructured>): boolean {
  const managers = (metadata as { readonly managedFields?: readonly { readonly manager?: string }[] }).managedFields
  return managers?.some(({ manager }) => manager === fieldManager) ?? false
}

function unknownName(resource: ResourceName, { metadata }: Unstructured): Error {
  return functionError(
    'FUNCTION_INTERRUPTED',
    `the engine stopped while it created ${describeObject(resource)} with generateName "${metadata?.generateName ?? ''}", so it is not ` +
      'known whether it did; look, then run the action again',
  )
}

function creatingOf(resumed: unknown): number | undefined {
  const creating = (resumed as { readonly creating?: unknown } | null | undefined)?.creating
  return typeof creating === 'number' ? creating : undefined
}
