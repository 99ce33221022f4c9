import { names } from '../../../api/names.ts'
import { runName } from '../../../api/run.ts'
import { kubeError } from '../../../kube/errors.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { cliError } from '../../errors.ts'
import { parseDuration } from '../../kanctl/create-actionset/parse.ts'
import type { ActionSetDeps } from './define.ts'
import { annotate, getActionSet } from './get.ts'

/** Throws CLI_NOT_FOUND, CLI_USAGE when it has ended already, CLI_WAIT_TIMEOUT. */
export async function cancel(
  name: string,
  { wait, timeout }: { readonly wait: boolean; readonly timeout: string },
  deps: ActionSetDeps,
): Promise<void> {
  const timeoutMs = parseDuration(timeout)
  const actionSet = await getActionSet(name, deps)
  const { state } = actionSet.status ?? {}
  if (state === 'complete') throw cliError('CLI_USAGE', `actionset ${name} is complete: there is nothing to cancel`)
  await annotate(actionSet, { [names.cancel]: 'true' }, deps)
  deps.output.out(`actionset ${name} is being cancelled\n`)
  if (wait) await waitForEnd(name, runName(actionSet.metadata.uid), timeoutMs, deps)
}

/** Its state is failed before its deferred phase has run; the Run says when nothing is left to do. */
async function waitForEnd(name: string, run: string, timeoutMs: number, deps: ActionSetDeps): Promise<void> {
  const { kube, namespace, output, signal } = deps
  const options = { signal, timeoutMs, what: 'to end' }
  try {
    await kube.waitFor(
      ownKinds.actionSets,
      { namespace, name },
      (now) => !now || hasEnded(now.status?.state) || undefined,
      options,
    )
    await kube.waitFor(
      ownKinds.runs,
      { namespace, name: run },
      (now) => !now || now.metadata.labels?.[names.unfinished] === 'false' || undefined,
      options,
    )
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_TIMEOUT')) throw error
    throw cliError('CLI_WAIT_TIMEOUT', `actionset ${name} had not ended after ${timeoutMs / 1000} s; it goes on`, {
      cause: error,
    })
  }
  const { status } = await getActionSet(name, deps)
  output.err(`actionset ${name} is ${status?.state ?? 'gone'}${status?.reason ? ` (${status.reason})` : ''}\n`)
}

function hasEnded(state: string | undefined): boolean {
  return state === 'complete' || state === 'failed'
}
