import type { Run } from '../../api/run.ts'

/**
 * Failures of the cluster, the network, the rights or the time, not of the backup: codes of `kube`, `store`, `functions` and `engine`. Any other
 * means that the action did what it does and it did not work, which is what a proof is to find out.
 */
const elsewhere: ReadonlySet<string> = new Set([
  ...['UNREACHABLE', 'TIMEOUT', 'THROTTLED', 'SERVER', 'UNAUTHORIZED', 'FORBIDDEN', 'NOT_FOUND', 'CONFLICT'].map(kube),
  ...['EXEC_LOST', 'EXEC_OUTPUT_LOST', 'EXEC_RECORD_LOST', 'EXEC_REFUSED', 'POD_GONE', 'POD_NOT_READY', 'POD_STUCK'].map(kube),
  ...['LOG_LOST', 'SCALE_TIMEOUT', 'LEASE_HELD', 'LEASE_LOST', 'GONE', 'ALREADY_EXISTS'].map(kube),
  'STORE_NO_BUCKET',
  'STORE_DENIED',
  'STORE_UNREACHABLE',
  'STORE_UNTRUSTED',
  'STORE_UNAVAILABLE',
  'STORE_THROTTLED',
  'STORE_BAD_LOCATION',
  'REPOSITORY_LOCKED',
  'REPOSITORY_LOCK_LOST',
  'FUNCTION_POD_NOT_READY',
  'FUNCTION_POD_LOST',
  'FUNCTION_NO_PROFILE',
  'FUNCTION_INTERRUPTED',
  'FUNCTION_WAIT_TIMEOUT',
  'RUN_INTERRUPTED',
  'RUN_CANCELLED',
  'RUN_TIMEOUT',
  'RUN_QUEUE_TIMEOUT',
  'RUN_JOURNAL_AWAY',
  'RUN_BAD_REFERENCE',
  'RUN_BAD_PROFILE',
  'RUN_STUCK',
])

function kube(name: string): string {
  return `KUBE_${name}`
}

/** Whether the first failure of a Run lies elsewhere. One that is gone, or whose failure has no code, tells nothing. */
export function failedElsewhere(run: Pick<Run, 'status'> | undefined): boolean {
  const { phases = [], error } = run?.status.actions['0'] ?? {}
  const code = phases.find((phase) => phase.error)?.error?.code ?? error?.code
  return code !== undefined && elsewhere.has(code)
}
