import type { ObjectReference } from '../api/object-reference.ts'
import { kubeError } from '../kube/errors.ts'
import { describeObject, type ObjectKey, type ResourceName } from '../kube/objects.ts'
import type { PatchType } from '../kube/resource-api.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { parseYaml } from './manifests.ts'
import { type ObjectOutputs, objectOutputs } from './object-outputs.ts'
import { locateObject } from './referenced-object.ts'

const fieldManager = 'kanister-patch'

export interface PatchRequest {
  readonly reference: ObjectReference
  readonly namespace: string
  readonly spec: string
  /** Undefined: strategic, or merge where the server refuses that, which it does for custom resources. */
  readonly type: PatchType | undefined
}

/** Patches one object. A JSON Patch may not be applied twice, so an attempt that takes over from an unknown point fails. */
export async function patchObject(ctx: FunctionContext, request: PatchRequest): Promise<ObjectOutputs> {
  const patch = readPatch(request)
  const { resource, key } = await locateObject(ctx, request.reference, request.namespace)
  if (request.type === 'json') await noteOnce(ctx, resource, key)
  ctx.signal.throwIfAborted()
  await send(ctx, { resource, key, patch, type: request.type })
  return objectOutputs(resource, key, request.reference.kind)
}

function readPatch({ spec, type }: PatchRequest): unknown {
  const [patch, ...more] = parseYaml(spec)
  const fits = type === 'json' ? Array.isArray(patch) : typeof patch === 'object' && patch !== null && !Array.isArray(patch)
  if (fits && more.length === 0) return patch
  const wanted = type === 'json' ? 'a list of operations' : 'a map of the fields to change'
  throw functionError('FUNCTION_BAD_ARGS', `spec must be ${wanted} in one document`)
}

async function noteOnce(ctx: FunctionContext, resource: ResourceName, key: ObjectKey): Promise<void> {
  if ((ctx.resumed as { readonly patching?: unknown } | null | undefined)?.patching === true) {
    throw functionError(
      'FUNCTION_INTERRUPTED',
      `the engine stopped while it patched ${describeObject(resource, key.name)}, and a JSON Patch may not be applied twice; look at the object, then run the action again`,
    )
  }
  await ctx.checkpoint({ patching: true })
}

interface Patch {
  readonly resource: ResourceName
  readonly key: ObjectKey
  readonly patch: unknown
  readonly type: PatchType | undefined
}

async function send(ctx: FunctionContext, { resource, key, patch, type }: Patch): Promise<void> {
  const api = ctx.kube.resource(resource)
  try {
    await api.patch(key, patch, { type: type ?? 'strategic', fieldManager, signal: ctx.signal })
  } catch (error) {
    const unsupported = kubeError.is(error) && error.details['status'] === 415
    if (type !== undefined || !unsupported) throw error
    await api.patch(key, patch, { type: 'merge', fieldManager, signal: ctx.signal })
  }
}
