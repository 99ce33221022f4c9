import type { ActionSet, ActionStatus, PhaseStatus } from '../../../api/actionset.ts'
import { kindOrResource } from '../../../api/object-reference.ts'
import { formatBytes } from '../../../base/bytes.ts'
import type { ActionSetDeps } from './define.ts'
import { getActionSet } from './get.ts'

/** Prints an ActionSet for people. Throws CLI_NOT_FOUND. */
export async function showStatus(name: string, deps: ActionSetDeps): Promise<void> {
  deps.output.out(`${describeActionSet(await getActionSet(name, deps)).join('\n')}\n`)
}

export function describeActionSet({ metadata, status = {} }: Pick<ActionSet, 'metadata' | 'status'>): string[] {
  const { state, reason, progress, waiting, actions = [], error, warnings = [] } = status
  const percent = state === 'running' && progress?.percentCompleted ? `, ${progress.percentCompleted} %` : ''
  return [
    `${metadata.name}: ${state ?? 'not seen by an engine yet'}${reason ? ` (${reason})` : ''}${percent}`,
    ...(waiting ? [`  ${waiting.message}${waiting.position === undefined ? '' : ` (position ${waiting.position})`}`] : []),
    ...actions.flatMap(describeAction),
    ...(error?.message ? [`  error: ${error.message}`] : []),
    ...warnings.map((warning) => `  warning: ${warning}`),
  ]
}

function describeAction({ name, object, phases = [], deferPhase }: ActionStatus): string[] {
  const where = [object?.namespace, object?.name].filter((word) => word).join('/')
  const all = deferPhase?.name ? [...phases, deferPhase] : phases
  return [`  ${name} on ${kindOrResource(object ?? {}) || 'object'} ${where}`, ...all.map(describePhase)]
}

function describePhase({ name, state, progress = {} }: PhaseStatus): string {
  const { sizeUploadedB = 0, sizeDownloadedB = 0 } = progress
  const stored = sizeUploadedB > 0 ? `, ${formatBytes(sizeUploadedB)} stored` : ''
  const read = sizeDownloadedB > 0 ? `, ${formatBytes(sizeDownloadedB)} read` : ''
  return `    ${name}: ${state}${stored}${read}`
}
