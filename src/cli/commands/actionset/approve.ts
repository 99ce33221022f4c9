import type { ActionSet } from '../../../api/actionset.ts'
import { names } from '../../../api/names.ts'
import { kubeError } from '../../../kube/errors.ts'
import type { Live } from '../../../kube/objects.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { cliError } from '../../errors.ts'
import type { ActionSetDeps } from './define.ts'
import { getActionSet } from './get.ts'

/**
 * Approves the phase of that name, also one that was not reached yet; without a name the one that waits now, so that nobody
 * approves what he has not seen. Throws CLI_NOT_FOUND, CLI_USAGE.
 */
export async function approve(name: string, wanted: string | undefined, deps: ActionSetDeps): Promise<void> {
  let phase = wanted
  for (let tries = 1; ; tries++) {
    const actionSet = await getActionSet(name, deps)
    phase = phaseToApprove(name, phase, actionSet)
    try {
      await addApproval(actionSet, phase, deps)
      break
    } catch (error) {
      if (tries >= mostTries || !kubeError.is(error, 'KUBE_CONFLICT')) throw error
    }
  }
  deps.output.out(`phase ${phase} of actionset ${name} approved\n`)
}

/** An ActionSet at work changes with each news of its progress. */
const mostTries = 20

function phaseToApprove(name: string, wanted: string | undefined, actionSet: ActionSet): string {
  const { state, waiting, actions = [] } = actionSet.status ?? {}
  if (state === 'complete' || state === 'failed') throw cliError('CLI_USAGE', `actionset ${name} has ended: it is ${state}`)
  const phase = wanted ?? (waiting?.for === 'Approval' ? waiting.phase : undefined)
  if (!phase)
    throw cliError('CLI_USAGE', `no phase of actionset ${name} waits for approval; name one with --phase to approve it before`)
  const known = actions.flatMap(({ phases = [] }) => phases.map((each) => each.name))
  if (known.length > 0 && !known.includes(phase))
    throw cliError('CLI_USAGE', `actionset ${name} has no phase ${phase}; it has ${known.join(', ')}`)
  return phase
}

/** Throws KUBE_CONFLICT when somebody changed the ActionSet meanwhile, perhaps to approve another phase. */
async function addApproval({ metadata }: Live<ActionSet>, phase: string, { kube, signal }: ActionSetDeps): Promise<void> {
  const { resourceVersion } = metadata
  const before = (metadata.annotations?.[names.approve] ?? '').split(/[\s,]+/).filter((word) => word !== '')
  const annotations = { [names.approve]: [...new Set([...before, phase])].join(',') }
  const patch = { metadata: { resourceVersion, annotations } }
  await kube.resource(ownKinds.actionSets).patch(metadata, patch, { type: 'merge', signal })
}
