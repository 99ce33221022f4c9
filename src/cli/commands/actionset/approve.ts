import { names } from '../../../api/names.ts'
import { cliError } from '../../errors.ts'
import type { ActionSetDeps } from './define.ts'
import { annotate, getActionSet } from './get.ts'

/**
 * Approves the phase of that name, also one that was not reached yet; without a name the one that waits now, so that nobody
 * approves what he has not seen. Throws CLI_NOT_FOUND, CLI_USAGE.
 */
export async function approve(name: string, wanted: string | undefined, deps: ActionSetDeps): Promise<void> {
  const actionSet = await getActionSet(name, deps)
  const { state, waiting, actions = [] } = actionSet.status ?? {}
  if (state === 'complete' || state === 'failed') throw cliError('CLI_USAGE', `actionset ${name} has ended: it is ${state}`)
  const phase = wanted ?? (waiting?.for === 'Approval' ? waiting.phase : undefined)
  if (!phase)
    throw cliError('CLI_USAGE', `no phase of actionset ${name} waits for approval; name one with --phase to approve it before`)
  const known = actions.flatMap(({ phases = [] }) => phases.map((each) => each.name))
  if (known.length > 0 && !known.includes(phase))
    throw cliError('CLI_USAGE', `actionset ${name} has no phase ${phase}; it has ${known.join(', ')}`)
  const before = (actionSet.metadata.annotations?.[names.approve] ?? '').split(/[\s,]+/).filter((word) => word !== '')
  await annotate(actionSet, { [names.approve]: [...new Set([...before, phase])].join(',') }, deps)
  deps.output.out(`phase ${phase} of actionset ${name} approved\n`)
}
