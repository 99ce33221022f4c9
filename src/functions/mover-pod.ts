import type { JsonMap } from './strategic-merge.ts'

// A mover is a pod in which the engine itself works: it reads or writes a volume by `tar`, and nothing of the Blueprint's runs in it. So it
// may have much less than a pod whose command somebody else wrote.

/** What `tar` needs as root to read and restore files of any owner; Linux takes all else away. */
const capabilities: readonly string[] = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'MKNOD', 'SETFCAP']

const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: capabilities } }

/**
 * The data go through a pipe, so it needs little memory; GNU tar keeps the names of hard links and of directories. There is no limit of CPU:
 * it would only slow the restore down.
 */
const resources = { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '512Mi' } }

/** It talks to no API server. */
export const moverBasics: JsonMap = { automountServiceAccountToken: false }

/**
 * Fields of its container. A securityContext of the override stands alone: merged with this one it would be neither the one nor the other, and
 * a namespace that enforces the standard `restricted` takes no capability at all.
 */
export function moverContainer(override: JsonMap | undefined, container: string): JsonMap {
  return { ...(setsSecurity(override, container) ? {} : { securityContext }), resources }
}

function setsSecurity(override: JsonMap | undefined, container: string): boolean {
  const containers = override?.['containers']
  if (!Array.isArray(containers)) return false
  return containers.some((each) => (each as JsonMap | null)?.['name'] === container && 'securityContext' in (each as JsonMap))
}
