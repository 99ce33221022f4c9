import type { ActionSet } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Clock } from '../../base/clock.ts'
import { kubeError } from '../../kube/errors.ts'
import { kinds } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'

export interface CleanDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly clock: Clock
}

/** A namespace goes when its pods have: finalizers of volumes and load balancers take their time. */
const goneMs = 10 * 60_000
const pollMs = 1_000
/** What is cancelled gets this long to run its deferred phase. */
const cancelMs = 60_000

/**
 * Removes a throw-away namespace and waits until it is gone. One that is not marked as made for this Verification is left alone. Gives what keeps
 * it, or undefined.
 */
export async function removeNamespace(
  { kube, clock }: CleanDeps,
  name: string,
  uid: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const namespaces = kube.resource(kinds.namespaces)
  const until = clock.now() + goneMs
  for (;;) {
    const found = await namespaces.find({ name }, { signal })
    if (!found) return undefined
    if (
      found.metadata.annotations?.[names.verificationUid] !== uid ||
      found.metadata.labels?.[names.verification] === undefined
    )
      return `namespace ${name} was not made for this Verification and is left alone`
    if (found.metadata.deletionTimestamp === undefined) await removeOne(namespaces, found, signal)
    if (clock.now() >= until) return stuck(found)
    await clock.sleep(pollMs, signal)
  }
}

type Found = Live<{ readonly metadata?: object } & Record<string, unknown>>

/** Exactly this one, should somebody have made another of its name. */
async function removeOne(
  namespaces: ReturnType<Kube['resource']>,
  { metadata }: { readonly metadata: { readonly name: string; readonly uid: string } },
  signal: AbortSignal,
): Promise<void> {
  try {
    await namespaces.delete({ name: metadata.name }, { uid: metadata.uid, signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_CONFLICT', 'KUBE_NOT_FOUND')) throw error
  }
}

function stuck(namespace: Found): string {
  const { conditions = [] } = (namespace['status'] ?? {}) as {
    readonly conditions?: readonly { readonly status?: string; readonly message?: string }[]
  }
  const why = conditions.filter(({ status }) => status === 'True').map(({ message }) => message ?? '')
  return `namespace ${namespace.metadata.name} is still there after ${goneMs / 60_000} minutes${why.length > 0 ? `: ${why.join(' ')}` : ''}; it is tried again`
}

/** Cancels those of a Verification that have not ended, and waits a while for their end. */
export async function stopActionSets(
  { kube, clock }: CleanDeps,
  { namespace, label, uid }: { readonly namespace: string; readonly label: string; readonly uid: string },
  signal: AbortSignal,
): Promise<void> {
  const actionSets = kube.resource(ownKinds.actionSets)
  const until = clock.now() + cancelMs
  const cancelled = new Set<string>()
  for (;;) {
    const { items } = await actionSets.list({ namespace, labelSelector: `${names.verification}=${label}`, signal })
    const left = items.filter((one) => one.metadata.annotations?.[names.verificationUid] === uid && !hasEnded(one))
    if (left.length === 0 || clock.now() >= until) return
    for (const { metadata } of left) {
      if (cancelled.has(metadata.name)) continue
      cancelled.add(metadata.name)
      await cancel(actionSets, { namespace, name: metadata.name }, signal)
    }
    await clock.sleep(pollMs, signal)
  }
}

async function cancel(
  actionSets: Pick<ReturnType<Kube['resource']>, 'patch'>,
  key: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<void> {
  try {
    await actionSets.patch(key, { metadata: { annotations: { [names.cancel]: 'true' } } }, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_NOT_FOUND')) throw error
  }
}

export function hasEnded({ status }: Pick<ActionSet, 'status'>): boolean {
  return status?.state === 'complete' || status?.state === 'failed'
}
