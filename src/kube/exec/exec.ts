import type { Readable } from 'node:stream'

export interface ExecTarget {
  readonly namespace: string
  readonly pod: string
  /** @default the annotation kubectl.kubernetes.io/default-container, else the pod's only or first container */
  readonly container?: string | undefined
}

export interface ExecOptions {
  /** Fed into the command's stdin, then EOF. Delivered in blocks; not meant for dialogues. @default /dev/null */
  readonly stdin?: AsyncIterable<Uint8Array> | undefined
  /** Abort ends the remote process (TERM, then KILL after `killGraceMs`) and rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Time for the whole exec in ms; past it the process is ended and KUBE_TIMEOUT thrown. @default none */
  readonly timeoutMs?: number | undefined
  /** Time from TERM to KILL in ms, taken up to whole seconds. @default 3_000 */
  readonly killGraceMs?: number
  /** Time for the container to start the command. @default 30_000 */
  readonly connectTimeoutMs?: number
  /** Each line of stderr as it comes. Must not throw. */
  readonly onStderr?: (line: string) => void
  /** Compute SHA-256 of stdout (0.6 CPU seconds a GB). @default false */
  readonly sha256?: boolean
  /**
   * `wrapped`: under our wrapper (README): no loss of output, argv and script not in the URL, cancel ends the process.
   * `plain`: argv in the URL as kubectl does it. `auto`: wrapped where the container has `sh`, else plain.
   * @default 'auto'
   */
  readonly form?: 'auto' | 'wrapped' | 'plain'
}

/** `verified`: the end marker came after the last byte. `unverified`: plain form; output may have been cut unnoticed. */
export type ExecIntegrity = 'verified' | 'unverified'

export interface ExecResult {
  readonly exitCode: number
  readonly stdoutBytes: number
  /** Lower-case hex; only with `sha256: true`. */
  readonly stdoutSha256?: string
  /** The last 64 KiB of stderr as text. */
  readonly stderrTail: string
  readonly stderrBytes: number
  /** Bytes of stdin that were handed over, and whether the command lived to be given the EOF after them. */
  readonly stdinBytes: number
  readonly stdinEnded: boolean
  readonly integrity: ExecIntegrity
}

export interface ExecStream {
  /**
   * What the command prints, with back-pressure down to the command. Ends normally ONLY when the command ended with exit
   * code 0 and every byte was delivered; otherwise it is destroyed with KUBE_EXEC_FAILED, KUBE_EXEC_LOST,
   * KUBE_EXEC_OUTPUT_LOST or the abort reason (what was not yet read is dropped then). So what is piped from here is
   * never taken for complete when it is not.
   * Destroying it ends the remote process.
   */
  readonly stdout: Readable
  /**
   * Resolves when the command ended, whatever its exit code. Somebody must read or destroy stdout, or it never settles.
   * Rejects when the connection or output was lost, on abort and on timeout. An unobserved rejection is no crash.
   */
  readonly result: Promise<ExecResult>
  /** Process id of the wrapper in the container's pid namespace; undefined in plain form. */
  readonly remotePid: number | undefined
}

export interface CaptureOptions extends ExecOptions {
  /** Each line of stdout as it comes; lines of any length up to 4 MiB, longer ones arrive in pieces. */
  readonly onStdout?: (line: string) => void
  /** How much of the end of stdout to keep, in bytes. @default 65_536 */
  readonly tailBytes?: number
}

export interface CaptureResult extends ExecResult {
  /** The last `tailBytes` of stdout as text. */
  readonly stdout: string
  /** True if stdout was longer than what is kept. */
  readonly truncated: boolean
}

export interface KeepOptions extends Omit<CaptureOptions, 'stdin' | 'form'> {
  /** Of the record in the container: letters, digits and dashes; the same for every exec that means this very run of the command. */
  readonly name: string
  /** True if an earlier exec may have started the command: then it is joined, or its result taken. @default false */
  readonly again?: boolean
  /**
   * Asked when the connection is open and nothing has been sent: the last moment at which the command can be kept from starting. A process
   * that slept while it connected would start it although somebody else has run it since. What it throws is the outcome.
   */
  readonly beforeStart?: () => Promise<void>
  /** Reasons of an abort that leave the command running, for an exec of the same name to join. @default none */
  readonly leave?: (reason: unknown) => boolean
}

export interface KeptResult extends CaptureResult {
  /**
   * - `ran`: this exec ran the command.
   * - `joined`: an earlier one did. Stdout is its last 64 KiB with all lines that hold output markers before them; of stderr, what came
   *   last after the earlier connection was gone, as far as there is any.
   * - `unkept`: it ran, but without a record: no `sh`, no folder that can be written, or a tool is missing.
   */
  readonly how: 'ran' | 'joined' | 'unkept'
  /** Removes the record. To be called when the result is durable. Never throws, takes some seconds at most. */
  release(): Promise<void>
}

export interface KubeExec {
  /** Starts `command` (argv) in a running container; resolves once it was started there. */
  stream(target: ExecTarget, command: readonly string[], options?: ExecOptions): Promise<ExecStream>
  /** Runs a command to its end keeping a bounded tail of its output. A non-zero exit code is a result, not an error. */
  capture(target: ExecTarget, command: readonly string[], options?: CaptureOptions): Promise<CaptureResult>
  /**
   * Runs a command exactly once over the death of whoever asks: it goes on without a connection and leaves a record in the container
   * (kept-wrapper.ts). A non-zero exit code is a result. Throws KUBE_EXEC_RECORD_LOST if an earlier exec started the command and its
   * process is gone without a result, KUBE_EXEC_NO_RECORD if `again` and no record can be kept there, so that nobody knows; nothing was
   * started then. KUBE_EXEC_LOST: the command goes on; ask again with `again`.
   */
  keep(target: ExecTarget, command: readonly string[], options: KeepOptions): Promise<KeptResult>
  /** Ends a kept command if it still runs, and removes its record; nothing there is success. */
  drop(target: ExecTarget, name: string, options?: Pick<ExecOptions, 'signal' | 'killGraceMs'>): Promise<void>
}
