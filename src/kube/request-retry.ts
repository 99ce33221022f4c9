import { type HoldfastError, nextOf } from '../base/errors.ts'
import type { KubeRequest } from './client.ts'

/** How long and what a client repeats where the caller says nothing of it. */
export interface Patience {
  /** Time for a call, repetitions included. */
  readonly budgetMs: number
  /**
   * Whether the create of a named object is repeated though it may have been carried out. Then KUBE_ALREADY_EXISTS has
   * `details.mayBeOurs`, and the caller looks whose it is.
   */
  readonly createsAgain: boolean
}

export const plainPatience: Patience = { budgetMs: 60_000, createsAgain: false }

/** For functions: the API server may be away for some minutes without a phase failing. Longer, and somebody wants to hear of it. */
export const longPatience: Patience = { budgetMs: 10 * 60_000, createsAgain: true }

/**
 * Time that this failure is worth. A bare 500 can be a webhook or a kubelet that will not come back, so it gets no more than a minute;
 * a server that is away, busy, or electing its etcd's leader does come back.
 */
export function budgetOf(error: HoldfastError, budgetMs: number): number {
  const { status = 500 } = error.details
  const bare = error.code === 'KUBE_SERVER' && status === 500 && !/etcdserver|leader/i.test(error.message)
  return bare ? Math.min(budgetMs, plainPatience.budgetMs) : budgetMs
}

/** Whether a repetition can do no harm. JSON Patch is a list of steps, so it is no more repeatable than a create without a name. */
export function mayRepeat(request: KubeRequest, error: HoldfastError, patience: Patience): boolean {
  if (nextOf(error) !== 'retry' || error.code === 'KUBE_GONE') return false
  if (error.code === 'KUBE_CONFLICT') return /cannot be fulfilled/i.test(error.message) && conflictHeals(request)
  if (wasNotCarriedOut(error)) return true
  if (request.method === 'POST') return patience.createsAgain && hasName(request)
  return request.contentType !== 'application/json-patch+json'
}

/** True when the request surely changed nothing. */
export function wasNotCarriedOut(error: HoldfastError): boolean {
  return error.code === 'KUBE_THROTTLED' || error.details['sent'] === false
}

/**
 * A conflict with nobody's version is one of the server with itself (a quota that many creates count against): nothing was done. One with a
 * version of ours is for the caller, who must read again.
 */
function conflictHeals({ method, body, contentType }: KubeRequest): boolean {
  const { metadata, preconditions } = (body ?? {}) as {
    metadata?: { resourceVersion?: string; uid?: string }
    preconditions?: object
  }
  if (
    method === 'GET' ||
    method === 'PUT' ||
    contentType === 'application/json-patch+json' ||
    contentType === 'application/apply-patch+yaml'
  )
    return false
  return preconditions === undefined && metadata?.resourceVersion === undefined && metadata?.uid === undefined
}

function hasName({ body }: KubeRequest): boolean {
  const { metadata } = (body ?? {}) as { readonly metadata?: { readonly name?: string } }
  return Boolean(metadata?.name)
}
