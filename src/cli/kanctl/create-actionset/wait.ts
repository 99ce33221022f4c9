import type { ActionSet, PhaseStatus } from '../../../api/actionset.ts'
import { formatBytes } from '../../../base/bytes.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { kubeError } from '../../../kube/errors.ts'
import type { Kube } from '../../../kube/kube.ts'
import { cliError } from '../../errors.ts'
import type { Output } from '../../output.ts'

/**
 * Waits for the end of an ActionSet and shows each phase as it begins and ends. Returns the finished ActionSet; throws
 * CLI_ACTIONSET_FAILED with its error, CLI_WAIT_TIMEOUT when it goes on, CLI_NOT_FOUND when somebody deleted it.
 */
export async function waitForActionSet(
  kube: Kube,
  key: { readonly namespace: string; readonly name: string },
  output: Output,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ActionSet> {
  const show = phasePrinter(output)
  const finished = await waitForEnd(kube, key, show, options)
  if (finished.status?.state === 'failed') {
    const reason = finished.status.reason ? ` (${finished.status.reason})` : ''
    throw cliError(
      'CLI_ACTIONSET_FAILED',
      `actionset ${key.name} failed${reason}: ${finished.status.error?.message ?? 'no message'}`,
    )
  }
  output.err(`actionset ${key.name} is complete\n`)
  return finished
}

async function waitForEnd(
  kube: Kube,
  key: { readonly namespace: string; readonly name: string },
  show: (actionSet: ActionSet) => void,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<ActionSet> {
  let seen = false
  const done = (actionSet: ActionSet | undefined): ActionSet | undefined => {
    if (!actionSet) {
      if (seen) throw cliError('CLI_NOT_FOUND', `actionset ${key.name} was deleted while it was waited for`)
      return undefined
    }
    seen = true
    show(actionSet)
    const state = actionSet.status?.state
    return state === 'complete' || state === 'failed' ? actionSet : undefined
  }
  try {
    return await kube.waitFor(ownKinds.actionSets, key, done, { signal, timeoutMs, what: 'to end' })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_TIMEOUT')) throw error
    throw cliError('CLI_WAIT_TIMEOUT', `actionset ${key.name} had not ended after ${timeoutMs / 1000} s; it goes on`, {
      cause: error,
    })
  }
}

/** Prints what changed since the last look: one line when a phase begins or ends, its bytes on a line that is redrawn. */
function phasePrinter(output: Output): (actionSet: ActionSet) => void {
  const printed = new Map<string, string>()
  return (actionSet) => {
    for (const [index, action] of (actionSet.status?.actions ?? []).entries()) {
      const phases = [...(action.phases ?? []), ...(action.deferPhase?.name ? [action.deferPhase] : [])]
      for (const phase of phases) {
        const key = `${index}/${phase.name}`
        const line = describePhase(action.name ?? '', phase, output.live)
        if (line === undefined || printed.get(key) === line) continue
        printed.set(key, line)
        output.err(line)
      }
    }
  }
}

function describePhase(action: string, phase: PhaseStatus, live: boolean): string | undefined {
  if (phase.state === 'pending') return undefined
  const bytes = describeBytes(phase)
  const redraw = live ? '\r\u001b[K' : ''
  if (phase.state === 'running') return `${redraw}  ${action}/${phase.name} running${live ? bytes : '\n'}`
  return `${redraw}  ${action}/${phase.name} ${phase.state}${bytes}\n`
}

function describeBytes({ progress = {} }: PhaseStatus): string {
  const { sizeUploadedB = 0, sizeDownloadedB = 0 } = progress
  if (sizeUploadedB > 0) return ` ${formatBytes(sizeUploadedB)} stored`
  if (sizeDownloadedB > 0) return ` ${formatBytes(sizeDownloadedB)} read`
  return ''
}
