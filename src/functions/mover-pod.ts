import type { JsonMap } from './strategic-merge.ts'

// A mover is a pod in which the engine itself works: it reads or writes a volume by `tar`, and nothing of the Blueprint's runs in it. So it
// may have much less than a pod whose command somebody else wrote.

/**
 * What runtimes give a container and `tar` does not need; what it needs as root stays: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD and SETFCAP. Named
 * one by one: "all, and then add those" is refused by namespaces that let nobody add any, such as OpenShift's.
 */
const needless: readonly string[] = [
  'AUDIT_WRITE',
  'KILL',
  'NET_BIND_SERVICE',
  'NET_RAW',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
]

const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: needless } }

/**
 * The data go through a pipe, so it needs little memory; GNU tar keeps the names of hard links and of directories. There is no limit of CPU:
 * it would only slow the restore down.
 */
const resources = { requests: { cpu: '50m', memory: '32Mi' }, limits: { memory: '512Mi' } }

/** It talks to no API server. */
export const moverBasics: JsonMap = { automountServiceAccountToken: false }

/**
 * Fields of its container. A securityContext of the override stands alone: merged with this one it would be neither the one nor the other.
 */
export function moverContainer(override: JsonMap | undefined, container: string): JsonMap {
  return { ...(setsSecurity(override, container) ? {} : { securityContext }), resources }
}

function setsSecurity(override: JsonMap | undefined, container: string): boolean {
  const containers = override?.['containers']
  if (!Array.isArray(containers)) return false
  return containers.some((each) => (each as JsonMap | null)?.['name'] === container && 'securityContext' in (each as JsonMap))
}
