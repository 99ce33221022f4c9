import type { HoldfastError } from '../../base/errors.ts'
import type { ApiStatus } from '../api-errors.ts'
import { kubeError } from '../errors.ts'

/** The exit code a final Status tells, or undefined when the command did not get as far as to have one. */
export function exitCodeOf(status: ApiStatus): number | undefined {
  if (status.status === 'Success') return 0
  const cause = status.details?.causes?.find((each) => each.reason === 'ExitCode')
  const code = Number(cause?.message ?? Number.NaN)
  return Number.isInteger(code) ? code : undefined
}

/**
 * Runtimes say it in different words that there is no `sh` in the image: containerd and CRI-O by message, some by the
 * codes that a shell would use. Only asked when our wrapper has not said a word, so nothing of the command ran.
 */
export function endedWithoutShell(status: ApiStatus): boolean {
  const code = exitCodeOf(status)
  if (code !== undefined) return code === 126 || code === 127 || code === 128
  return /executable file .*not found|no such file or directory|permission denied/i.test(status.message ?? '')
}

/** The node could not run it. Faults on the way to the kubelet may heal; so may a kubelet that has just started and knows no pods yet. */
export function refusalOf(status: ApiStatus, where: string, stderr: string): HoldfastError {
  const code = exitCodeOf(status)
  // A kubelet that dies is told as a good end by some API servers. Whether the command was started is not known then.
  if (code === 0) return kubeError('KUBE_EXEC_LOST', `${where}: the connection ended before the command was heard of`)
  const text =
    code === undefined
      ? withoutScript(status.message ?? 'no reason given')
      : `it ended with exit code ${code} at its start${lastLine(stderr)}`
  if (!isAwayFromNode(text)) return kubeError('KUBE_EXEC_REFUSED', `${where}: the command was not started: ${text}`)
  return kubeError('KUBE_SERVER', `${where}: the command was not started: ${text}`, { details: { sent: false } })
}

/** An API server that lost its kubelet names the whole address, with the command in it. */
function withoutScript(text: string): string {
  return text.replace(/\?command=[^"\s]*/, '')
}

/** Whether these words are of a server that did not get as far as the container. */
export function isAwayFromNode(text: string): boolean {
  return /dial tcp|dialing backend|connection refused|i\/o timeout|connection reset|no agent available|pod does not exist|etcdserver|error sending request: .*\bEOF$/i.test(
    text,
  )
}

/** The command ended with a failure. Keeps the phrase that people search for. */
export function failureOf(exitCode: number, stderrTail: string, where: string): HoldfastError {
  const text = `${where}: command terminated with exit code ${exitCode}${lastLine(stderrTail)}`
  return kubeError('KUBE_EXEC_FAILED', text, { details: { exitCode } })
}

const maxLine = 300

function lastLine(text: string): string {
  const line = text.trimEnd().split('\n').at(-1)?.trim() ?? ''
  return line === '' ? '' : `: ${line.slice(0, maxLine)}`
}
