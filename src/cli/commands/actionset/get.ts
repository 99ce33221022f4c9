import type { ActionSet } from '../../../api/actionset.ts'
import { kubeError } from '../../../kube/errors.ts'
import type { Live } from '../../../kube/objects.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { cliError } from '../../errors.ts'
import type { ActionSetDeps } from './define.ts'

/** Throws CLI_NOT_FOUND. */
export async function getActionSet(name: string, { kube, namespace, signal }: ActionSetDeps): Promise<Live<ActionSet>> {
  try {
    return await kube.resource(ownKinds.actionSets).get({ namespace, name }, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_NOT_FOUND')) throw error
    throw cliError('CLI_NOT_FOUND', `there is no ActionSet ${name} in namespace ${namespace}`, { cause: error })
  }
}

/** Annotations are all that is written, so nothing that happens meanwhile is in the way. */
export async function annotate(
  actionSet: Live<ActionSet>,
  annotations: Readonly<Record<string, string>>,
  { kube, signal }: ActionSetDeps,
): Promise<void> {
  await kube.resource(ownKinds.actionSets).patch(actionSet.metadata, { metadata: { annotations } }, { type: 'merge', signal })
}
