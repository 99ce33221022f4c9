import { kinds, type Pod } from '../kube/kinds.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'

/**
 * Where a pod must run to mount a claim that only one node can mount at a time: the node of whoever has it now; undefined when nobody has,
 * or any node will do. A claim for one pod alone that is in use is FUNCTION_BAD_ARGS: waiting for it would end in a timeout.
 */
export async function nodeOfClaim(
  { kube, signal }: Pick<FunctionContext, 'kube' | 'signal'>,
  namespace: string,
  name: string,
): Promise<string | undefined> {
  const claim = await kube.resource(kinds.persistentVolumeClaims).find({ namespace, name }, { signal })
  const modes = claim?.spec?.accessModes ?? []
  if (modes.some((mode) => mode.endsWith('Many'))) return undefined
  const { items } = await kube.resource(kinds.pods).list({ namespace, signal })
  const users = items.filter((pod) => holds(pod, name))
  // One that waits to be scheduled, perhaps for this claim, has no node yet.
  const user = users.find((pod) => pod.spec?.nodeName) ?? users[0]
  if (user && modes.includes('ReadWriteOncePod')) {
    throw functionError(
      'FUNCTION_BAD_ARGS',
      `claim "${namespace}/${name}" may be mounted by one pod at a time and pod ${user.metadata.name} has it; ` +
        'scale the application down in an earlier phase, or use BackupData in that pod',
    )
  }
  return user?.spec?.nodeName
}

/** The same for several; the first that ties the pod to a node decides, and where others contradict it the scheduler says so. */
export async function nodeOfClaims(
  ctx: Pick<FunctionContext, 'kube' | 'signal'>,
  namespace: string,
  names: readonly string[],
): Promise<string | undefined> {
  const nodes: (string | undefined)[] = []
  for (const name of names) nodes.push(await nodeOfClaim(ctx, namespace, name))
  return nodes.find((node) => node !== undefined)
}

function holds(pod: Pod, claim: string): boolean {
  const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
  return !ended && (pod.spec?.volumes ?? []).some((volume) => volume.persistentVolumeClaim?.claimName === claim)
}
