import { messageOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import type { Kube } from '../kube/kube.ts'

/** The cluster into which something comes back. */
export interface RecoveryCluster {
  readonly kube: Kube
  readonly signal: AbortSignal
}

/** What was seen; `unknown` where we may not look. */
export type Seen<T> = { readonly found: T | undefined } | { readonly unknown: string }

/** A look that must not stop a plan: what may not be read is said. */
export async function look<T>(
  { signal }: Pick<RecoveryCluster, 'signal'>,
  read: () => Promise<T | undefined>,
): Promise<Seen<T>> {
  try {
    return { found: await read() }
  } catch (error) {
    signal.throwIfAborted()
    if (kubeError.is(error, 'KUBE_NOT_FOUND')) return { found: undefined }
    return { unknown: messageOf(error) }
  }
}

interface Access {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly namespace?: string
}

/** Whether the one who restores may do this. Where the server does not answer: yes, since the deed itself will tell. */
export async function mayDo({ kube, signal }: RecoveryCluster, { verb, group, resource, namespace }: Access): Promise<boolean> {
  const resourceAttributes = { verb, group, resource, ...(namespace === undefined ? {} : { namespace }) }
  const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } }
  const answer = await look({ signal }, () =>
    kube.client.request<{ readonly status?: { readonly allowed?: boolean } }>(
      { method: 'POST', path: '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', body },
      { signal },
    ),
  )
  return 'unknown' in answer || answer.found?.status?.allowed === true
}
