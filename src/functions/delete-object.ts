import type { ObjectReference } from '../api/object-reference.ts'
import { nextOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import { describeObject, type Live, type ObjectKey, type ResourceName, type Unstructured } from '../kube/objects.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { type ObjectOutputs, objectOutputs } from './object-outputs.ts'
import { pollUntil } from './poll-until.ts'
import { locateObject } from './referenced-object.ts'

export interface DeleteRequest {
  readonly reference: ObjectReference
  readonly namespace: string
  readonly ignoreNotFound: boolean
  readonly timeoutMs: number
}

/** Deletes an object and waits until it is gone. The Run knows its UID before: a namesake that comes later is never touched. */
export async function deleteObject(ctx: FunctionContext, request: DeleteRequest): Promise<ObjectOutputs> {
  const { resource, key } = await locateObject(ctx, request.reference, request.namespace)
  const uid = uidOf(ctx.resumed) ?? (await noteUid(ctx, resource, key, request))
  if (uid !== undefined) {
    await requestDelete(ctx, resource, key, uid)
    await waitGone(ctx, { resource, key, uid, timeoutMs: request.timeoutMs })
  }
  return objectOutputs(resource, key, request.reference.kind)
}

async function noteUid(
  ctx: FunctionContext,
  resource: ResourceName,
  key: ObjectKey,
  { ignoreNotFound }: DeleteRequest,
): Promise<string | undefined> {
  const found = await ctx.kube.resource(resource).find(key, { signal: ctx.signal })
  if (!found && ignoreNotFound) return undefined
  if (!found) {
    const text = `${describeObject(resource, key.name)} not found; set ignoreNotFound: true if it may be gone already`
    throw kubeError('KUBE_NOT_FOUND', text)
  }
  await ctx.checkpoint({ deleting: found.metadata.uid })
  return found.metadata.uid
}

async function requestDelete(ctx: FunctionContext, resource: ResourceName, key: ObjectKey, uid: string): Promise<void> {
  ctx.signal.throwIfAborted()
  try {
    await ctx.kube.resource(resource).delete(key, { uid, signal: ctx.signal })
  } catch (error) {
    // The name is somebody else's by now, so the object is gone.
    if (!kubeError.is(error, 'KUBE_CONFLICT')) throw error
  }
}

interface Gone {
  readonly resource: ResourceName
  readonly key: ObjectKey
  readonly uid: string
  readonly timeoutMs: number
}

async function waitGone(ctx: FunctionContext, { resource, key, uid, timeoutMs }: Gone): Promise<void> {
  let last: Live<Unstructured> | undefined
  const gone = await pollUntil(ctx, ctx.clock.now() + timeoutMs, async () => {
    try {
      last = await ctx.kube.resource(resource).find(key, { signal: ctx.signal })
    } catch (error) {
      if (nextOf(error) === 'retry') return undefined
      throw error
    }
    return last?.metadata.uid === uid ? undefined : true
  })
  if (gone) return
  const finalizers = last?.metadata.finalizers ?? []
  const why = finalizers.length > 0 ? `whoever serves its finalizers (${finalizers.join(', ')}) has not` : 'it is still there'
  throw functionError(
    'FUNCTION_WAIT_TIMEOUT',
    `${describeObject(resource, key.name)} was not gone after ${timeoutMs / 1000} s: ${why}; see to that, or raise timeout`,
  )
}

function uidOf(resumed: unknown): string | undefined {
  const uid = (resumed as { readonly deleting?: unknown } | null | undefined)?.deleting
  return typeof uid === 'string' ? uid : undefined
}
