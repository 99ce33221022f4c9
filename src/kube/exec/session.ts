import { createHash, type Hash, randomBytes } from 'node:crypto'
import type { ApiStatus } from '../api-errors.ts'
import type { KubeClient } from '../client.ts'
import { kubeError } from '../errors.ts'
import { LineSplitter } from '../lines.ts'
import { Tail } from '../tail.ts'
import { ExecConnection } from './connection.ts'
import type { ExecOptions, ExecResult, ExecTarget } from './exec.ts'
import { killBeside } from './kill.ts'
import { keptBootstrap, renderKeptPreamble } from './kept-wrapper.ts'
import { type Header, MarkerScanner } from './marker.ts'
import { endedWithoutShell, exitCodeOf, isAwayFromNode, refusalOf } from './outcome.ts'
import { pumpStdin, type Pumped } from './stdin-pump.ts'
import { within } from './within.ts'
import { bootstrap, renderPreamble } from './wrapper.ts'

const stderrTailBytes = 64 << 10
/** Raw stdin: how long the wrapper stays after the command, since then nothing can acknowledge. */
const lingerSeconds = 2
/** After the end marker, how long stderr and the Status may take. Past it a process left behind holds the pipes. */
const settleMs = 5_000
/** How long the wrapper may take to hear `kill` on its own stdin before it is ended from beside. */
const deafMs = 1_000

/** The wrapper does nothing before it is told what on its stdin, so a handshake that failed ran nothing, whoever lost it. */
function nothingRan(error: unknown): unknown {
  if (!kubeError.is(error, 'KUBE_UNREACHABLE', 'KUBE_SERVER', 'KUBE_TIMEOUT')) return error
  if (error.details['status'] === 500 && !isAwayFromNode(error.message)) return error
  // One of the three above.
  const code = error.code as 'KUBE_SERVER'
  return kubeError(code, error.message, { cause: error, details: { ...error.details, sent: false } })
}

/** The container has no `sh`: nothing has run. */
export class NoShell extends Error {}

export interface SessionRequest {
  readonly target: ExecTarget & { readonly container: string }
  readonly command: readonly string[]
  readonly options: ExecOptions
  /** Takes the output; false asks to pause until `resume`. */
  readonly onStdout: (bytes: Buffer) => boolean
  readonly pingMs: number | undefined
  /** Of the whole exec: the caller's, the deadline's and the reader's. */
  readonly signal: AbortSignal
  /** The command outlives the connection; its record stays in the container until `release`. */
  readonly keep?: KeepRequest | undefined
}

export interface KeepRequest {
  readonly name: string
  readonly again: boolean
  readonly beforeStart?: (() => Promise<void>) | undefined
  /** Whether an abort for this reason leaves the command running. */
  readonly leave: (reason: unknown) => boolean
}

/** One command in a container, from the handshake to its result. */
export class ExecSession {
  /** For messages: `pod "ns/name", container "c"`. */
  readonly where: string
  readonly #client: KubeClient
  readonly #request: SessionRequest
  readonly #connection: ExecConnection
  readonly #nonce: string | undefined
  readonly #scanner: MarkerScanner | undefined
  readonly #stderr = new Tail(stderrTailBytes)
  /** Of a kept command, whose stderr ends with the marker too. */
  #stderrScanner: MarkerScanner | undefined
  /** Stderr that came before the header, which tells how to read it. */
  #early: Buffer[] = []
  readonly #stderrMarked = Promise.withResolvers<void>()
  readonly #stderrLines: LineSplitter | undefined
  readonly #hash: Hash | undefined
  readonly #started = Promise.withResolvers<void>()
  readonly #marked = Promise.withResolvers<number>()
  #stdoutBytes = 0
  #dropping = false
  #announced = false
  #settled = false

  /** Resolves when the command was started (wrapped) or asked for (plain). Throws NoShell, or why it could not start. */
  static async start(client: KubeClient, request: SessionRequest, wrapped: boolean): Promise<ExecSession> {
    const { target, command, options, signal, pingMs } = request
    const { connectTimeoutMs = 30_000 } = options
    const connection = await ExecConnection.open(client, {
      target,
      command: wrapped ? ['sh', '-c', request.keep ? keptBootstrap : bootstrap] : command,
      stdin: wrapped || options.stdin !== undefined,
      signal,
      connectTimeoutMs,
      pingMs,
    }).catch((error: unknown) => {
      throw wrapped ? nothingRan(error) : error
    })
    const session = new ExecSession(client, request, connection, wrapped)
    try {
      await session.#begin(connectTimeoutMs)
      return session
    } catch (error) {
      connection.terminate()
      throw error
    }
  }

  private constructor(client: KubeClient, request: SessionRequest, connection: ExecConnection, wrapped: boolean) {
    const { target, options } = request
    this.where = `pod "${target.namespace}/${target.pod}", container "${target.container}"`
    this.#client = client
    this.#request = request
    this.#connection = connection
    this.#nonce = wrapped ? randomBytes(16).toString('hex') : undefined
    this.#scanner = this.#nonce === undefined ? undefined : new MarkerScanner(this.#nonce)
    this.#stderrLines = options.onStderr && new LineSplitter(options.onStderr)
    this.#hash = options.sha256 ? createHash('sha256') : undefined
    for (const promise of [this.#started.promise, this.#marked.promise]) promise.catch(noop)
  }

  /** What the wrapper answered; undefined in plain form. */
  get mode(): Header['mode'] | undefined {
    return this.#scanner?.header?.mode
  }

  get remotePid(): number | undefined {
    return this.#scanner?.header?.pid
  }

  /** Bytes that came after the end marker, from processes that the command left behind. They are not delivered. */
  get lateBytes(): number {
    return this.#scanner?.lateBytes ?? 0
  }

  resume(): void {
    this.#connection.resume()
  }

  /** Runs to the end. Rejects with the signal's reason after the remote process was ended, or with what was lost. */
  async finish(): Promise<ExecResult> {
    const { signal } = this.#request
    const over = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<never>()
    const stop = (): void => aborted.reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    try {
      const pump = this.#pump(over.promise)
      const pumpFailed = pump.then(() => aborted.promise)
      return await Promise.race([this.#outcome(pump, over), pumpFailed, aborted.promise])
    } catch (error) {
      over.resolve()
      if (!this.#isLeft) await this.#kill()
      this.#connection.terminate()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
      this.#stderrLines?.end()
      if (!this.#isKept) this.#connection.terminate()
    }
  }

  /** Has the record of a kept command removed. False if the connection that could do it was lost. */
  async release(): Promise<boolean> {
    if (!this.#isKept) return true
    try {
      await this.#connection.say('ok\n')
      const ended = this.#connection.ended.then(yes)
      return (await within(settleMs, undefined, ended, noop)) === true
    } catch {
      return false
    } finally {
      this.#connection.terminate()
    }
  }

  /** Ends the connection and nothing else. */
  leave(): void {
    this.#connection.terminate()
  }

  get #isKept(): boolean {
    return this.mode === 'k' || this.mode === 'a'
  }

  /** A kept command goes on after everything but an abort that means to end it. */
  get #isLeft(): boolean {
    const { keep, signal } = this.#request
    return keep !== undefined && this.#isKept && (!signal.aborted || keep.leave(signal.reason))
  }

  async #begin(timeoutMs: number): Promise<void> {
    this.#connection.start(
      (bytes) => this.#takeStdout(bytes),
      (bytes) => this.#takeStderr(bytes),
    )
    if (this.#nonce === undefined) return
    const { keep, signal } = this.#request
    await keep?.beforeStart?.()
    await this.#connection.say(this.#preamble(this.#nonce))
    const ended = this.#connection.ended.then((status) => this.#notStarted(status))
    const late = (): Error =>
      kubeError('KUBE_TIMEOUT', `${this.where}: the container did not start the command within ${timeoutMs / 1000} s`)
    try {
      await within(timeoutMs, signal, Promise.race([this.#started.promise, ended]), late)
    } catch (error) {
      // Started at the last moment: then `finish` ends it as it ends any other.
      if (!this.#scanner?.header) throw error
    }
  }

  #preamble(nonce: string): string {
    const { options, command, keep } = this.#request
    const killGraceSeconds = graceSeconds(options)
    if (keep) return renderKeptPreamble({ nonce, name: keep.name, again: keep.again, command, killGraceSeconds })
    return renderPreamble({ nonce, mode: options.stdin ? 'i' : 'o', command, killGraceSeconds, lingerSeconds })
  }

  /** The exec is over. Before the wrapper's first word that means that the command did not run. */
  #notStarted(status: ApiStatus): void {
    if (this.#scanner?.header) return
    if (endedWithoutShell(status)) throw new NoShell()
    for (const bytes of this.#early.splice(0)) this.#stderr.push(bytes)
    throw refusalOf(status, this.where, this.#stderr.text())
  }

  #takeStdout(bytes: Buffer): void {
    const output = this.#scanner ? this.#scanner.push(bytes) : bytes
    // The output goes on before the marker is believed, since the result may be made of it at once.
    if (output !== undefined && output.length > 0 && !this.#dropping) {
      this.#stdoutBytes += output.length
      this.#hash?.update(output)
      if (!this.#request.onStdout(output)) this.#connection.pause()
    }
    if (this.#scanner && !this.#settled) this.#follow(this.#scanner)
  }

  #follow(scanner: MarkerScanner): void {
    if (scanner.header && !this.#announced) {
      this.#announced = true
      if (this.#isKept) this.#stderrScanner = MarkerScanner.following(scanner)
      for (const bytes of this.#early.splice(0)) this.#takeStderr(bytes)
      this.#started.resolve()
    }
    if (scanner.exitCode !== undefined) this.#marked.resolve(scanner.exitCode)
    this.#settled = scanner.broken || scanner.exitCode !== undefined
    if (!scanner.broken) return
    const error = kubeError('KUBE_EXEC_OUTPUT_LOST', `${this.where}: the output does not follow the protocol of the wrapper`)
    this.#started.reject(error)
    this.#marked.reject(error)
    this.#dropping = true
  }

  #takeStderr(bytes: Buffer): void {
    if (this.#request.keep && this.#scanner && !this.#announced) return void this.#early.push(Buffer.from(bytes))
    const output = this.#stderrScanner ? this.#stderrScanner.push(bytes) : bytes
    if (output && output.length > 0) {
      this.#stderr.push(output)
      this.#stderrLines?.push(output)
    }
    if (this.#stderrScanner?.exitCode !== undefined) this.#stderrMarked.resolve()
  }

  async #pump(over: Promise<void>): Promise<Pumped> {
    const { stdin } = this.#request.options
    if (!stdin) return { bytes: 0, ended: false }
    const mode = this.#scanner?.header?.mode === 'i' ? 'blocks' : 'raw'
    if (mode === 'raw' && !this.#connection.canCloseStdin) {
      const text = `${this.where}: this API server cannot close the stdin of a command (no v5.channel.k8s.io), and the container lacks sh or a dd with iflag=fullblock`
      throw kubeError('KUBE_EXEC_REFUSED', text)
    }
    return await pumpStdin(this.#connection, stdin, mode, over)
  }

  async #outcome(pump: Promise<Pumped>, over: PromiseWithResolvers<void>): Promise<ExecResult> {
    const exitCode = await Promise.race([this.#marked.promise, this.#endedExit()])
    over.resolve()
    if (this.#isKept) {
      // The wrapper waits to be released, so there is no Status yet.
      await within(
        settleMs,
        undefined,
        Promise.race([this.#stderrMarked.promise, this.#connection.ended.then(noop, noop)]),
        noop,
      )
    } else if (this.#scanner?.exitCode !== undefined) {
      // At most one block is still on its way; our last word comes after it.
      if (this.#scanner.header?.mode !== 'r') {
        await pump
        await this.#connection.say('ok\n').catch(noop)
      }
      await within(settleMs, undefined, this.#connection.ended.then(noop, noop), noop)
    }
    const { bytes, ended } = await Promise.race([pump, Promise.resolve({ bytes: 0, ended: false })])
    return {
      exitCode,
      stdoutBytes: this.#stdoutBytes,
      ...(this.#hash && { stdoutSha256: this.#hash.digest('hex') }),
      stderrTail: this.#stderr.text(),
      stderrBytes: this.#stderr.total,
      stdinBytes: bytes,
      stdinEnded: ended,
      integrity: this.#scanner?.exitCode !== undefined ? 'verified' : 'unverified',
    }
  }

  /**
   * What the final Status says. Under the wrapper it comes before the marker only when something ended the wrapper: then
   * a failure is believed (killed container), a success is not.
   */
  async #endedExit(): Promise<number> {
    const status = await this.#connection.ended
    if (this.#scanner?.exitCode !== undefined) return this.#scanner.exitCode
    const code = exitCodeOf(status)
    if (code === undefined) throw refusalOf(status, this.where, this.#stderr.text())
    if (this.#scanner === undefined || code !== 0) return code
    const text = `${this.where}: the command ended, but the end of its output did not arrive (${this.#stdoutBytes} bytes did)`
    // So does a kubelet that dies, whose end some API servers take for a good one.
    throw kubeError('KUBE_EXEC_OUTPUT_LOST', text, { details: { cut: true } })
  }

  /** Ends the remote process and waits, bounded, until it is gone. Never throws. */
  async #kill(): Promise<void> {
    this.#dropping = true
    this.#connection.resume()
    const header = this.#scanner?.header
    if (!header || this.#scanner?.exitCode !== undefined || (await this.#isOver(0))) return
    const grace = graceSeconds(this.#request.options)
    if (header.mode !== 'r') {
      await within(deafMs, undefined, this.#connection.say('kill\n').catch(noop), noop)
      if (await this.#isOver(header.mode === 'i' ? deafMs : grace * 1000 + deafMs)) return
    }
    await killBeside(this.#client, this.#request.target, header.pid, grace)
    await this.#isOver(deafMs)
  }

  async #isOver(ms: number): Promise<boolean> {
    const over = Promise.race([this.#connection.ended, this.#marked.promise]).then(yes, yes)
    return (await within(ms, undefined, over, noop)) === true
  }
}

function graceSeconds({ killGraceMs = 3_000 }: ExecOptions): number {
  return Math.max(1, Math.ceil(killGraceMs / 1000))
}

function noop(): undefined {
  return undefined
}

function yes(): true {
  return true
}
