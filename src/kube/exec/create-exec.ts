import { Readable } from 'node:stream'
import { retry } from '../../base/backoff.ts'
import { systemClock } from '../../base/clock.ts'
import { nextOf } from '../../base/errors.ts'
import type { KubeClient } from '../client.ts'
import { kubeError } from '../errors.ts'
import { LineSplitter } from '../lines.ts'
import { budgetOf, wasNotCarriedOut } from '../request-retry.ts'
import { Tail } from '../tail.ts'
import type {
  CaptureOptions,
  CaptureResult,
  ExecOptions,
  ExecResult,
  ExecStream,
  ExecTarget,
  KeepOptions,
  KeptResult,
  KubeExec,
} from './exec.ts'
import { dropKept } from './kill.ts'
import { failureOf } from './outcome.ts'
import { ExecSession, NoShell, type SessionRequest } from './session.ts'
import { withContainer } from './target.ts'
import { isWrappable } from './wrapper.ts'

/** Unread output held here before the socket is paused. The socket's own buffers add some hundred KiB. */
const stdoutBufferBytes = 1 << 20
const captureTailBytes = 64 << 10

/** `pingMs`: between the pings that notice a dead connection after three without an answer. @default 20_000 */
export function createExec(client: KubeClient, { pingMs }: { readonly pingMs?: number } = {}): KubeExec {
  const start: Start = async (request) => await startSession(client, { ...request, pingMs })
  return {
    stream: async (target, command, options = {}) => await openStream(start, target, command, options),
    capture: async (target, command, options = {}) => await capture(start, target, command, options),
    keep: async (target, command, options) => await keepCommand(client, start, target, { command, options }),
    drop: async (target, name, options = {}) => {
      const named = await withContainer(client, target, options.signal)
      const graceSeconds = Math.max(1, Math.ceil((options.killGraceMs ?? 3_000) / 1000))
      await dropKept(client, named, { name, graceSeconds, signal: options.signal })
    },
  }
}

type StartRequest = Omit<SessionRequest, 'target'> & { readonly target: ExecTarget }
type Start = (request: Omit<StartRequest, 'pingMs'>) => Promise<ExecSession>

async function openStream(
  start: Start,
  target: ExecTarget,
  command: readonly string[],
  options: ExecOptions,
): Promise<ExecStream> {
  const life = lifetime(target, options)
  let session: ExecSession | undefined
  let over = false
  const stdout = new Readable({
    highWaterMark: stdoutBufferBytes,
    read: () => session?.resume(),
    destroy(error, done) {
      // A reader that leaves its loop destroys with a bare AbortError; one that failed says why.
      const left = error === null || error.name === 'AbortError'
      if (!over) life.abort(left ? kubeError('KUBE_EXEC_LOST', 'the reader of the output stopped before its end') : error)
      done(error)
    },
  })
  stdout.on('error', noop) // shows to whoever reads, and in `result`; it must not end the process
  try {
    session = await start({
      target,
      command,
      options,
      signal: life.signal,
      onStdout: (bytes) => stdout.push(bytes),
    })
  } catch (error) {
    over = true
    life.end()
    stdout.destroy()
    throw error
  }
  const running = session
  const result = (async (): Promise<ExecResult> => {
    try {
      const outcome = await running.finish()
      over = true
      checkWhole(running, outcome)
      if (outcome.exitCode === 0) stdout.push(null)
      else stdout.destroy(failureOf(outcome.exitCode, outcome.stderrTail, running.where))
      return outcome
    } catch (error) {
      over = true
      stdout.destroy(error instanceof Error ? error : new Error(String(error)))
      throw error
    } finally {
      life.end()
    }
  })()
  result.catch(noop)
  return { stdout, result, remotePid: session.remotePid }
}

/** A stream that goes into a backup must not lack what someone still wrote. */
function checkWhole(session: ExecSession, { exitCode }: ExecResult): void {
  if (exitCode !== 0 || session.lateBytes === 0) return
  throw kubeError(
    'KUBE_EXEC_OUTPUT_LOST',
    `${session.where}: the command left a process behind that went on writing to its output`,
  )
}

async function keepCommand(
  client: KubeClient,
  start: Start,
  target: ExecTarget,
  { command, options }: { readonly command: readonly string[]; readonly options: KeepOptions },
): Promise<KeptResult> {
  const { name, again = false, beforeStart, leave = () => false, onStdout, tailBytes = captureTailBytes, ...rest } = options
  const life = lifetime(target, rest)
  const tail = new Tail(tailBytes)
  const lines = onStdout && new LineSplitter(onStdout)
  const take = (bytes: Buffer): boolean => {
    tail.push(bytes)
    lines?.push(bytes)
    return true
  }
  let started = false
  try {
    const keep = { name, again, beforeStart, leave }
    const session = await start({ target, command, options: rest, signal: life.signal, onStdout: take, keep })
    started = true
    checkRecord(session)
    const result = await session.finish()
    lines?.end()
    const how = session.mode === 'k' ? 'ran' : session.mode === 'a' ? 'joined' : 'unkept'
    const release = async (): Promise<void> => {
      if (how === 'unkept' || (await session.release())) return
      const named = await withContainer(client, target, undefined).catch(noop)
      if (named) await dropKept(client, named, { name, graceSeconds: 1 }).catch(noop)
    }
    return { ...result, stdout: tail.text(), truncated: tail.total > tailBytes, how, release }
  } catch (error) {
    // A cancel in the moment of the start: the command may run without anybody who hears it.
    if (!started && life.signal.aborted && !leave(life.signal.reason)) {
      const named = await withContainer(client, target, undefined).catch(noop)
      if (named) await dropKept(client, named, { name, graceSeconds: 1 }).catch(noop)
    }
    throw error
  } finally {
    life.end()
  }
}

function checkRecord(session: ExecSession): void {
  const { mode, where } = session
  if (mode !== 'l' && mode !== 'n') return
  session.leave()
  throw mode === 'l' ? recordLost(where) : noRecord(where)
}

function recordLost(where: string): Error {
  return kubeError(
    'KUBE_EXEC_RECORD_LOST',
    `${where}: the command was started earlier and is gone without a result: it was killed, or its container was restarted`,
  )
}

function noRecord(where: string): Error {
  const text = `${where}: whether the command was started earlier is not known, since nothing can be noted in the container (it has no sh, or no folder that can be written)`
  return kubeError('KUBE_EXEC_NO_RECORD', text)
}

async function capture(
  start: Start,
  target: ExecTarget,
  command: readonly string[],
  options: CaptureOptions,
): Promise<CaptureResult> {
  const { onStdout, tailBytes = captureTailBytes } = options
  const life = lifetime(target, options)
  const tail = new Tail(tailBytes)
  const lines = onStdout && new LineSplitter(onStdout)
  const take = (bytes: Buffer): boolean => {
    tail.push(bytes)
    lines?.push(bytes)
    return true
  }
  try {
    const session = await start({ target, command, options, signal: life.signal, onStdout: take })
    const result = await session.finish()
    lines?.end()
    return { ...result, stdout: tail.text(), truncated: tail.total > tailBytes }
  } finally {
    life.end()
  }
}

async function startSession(client: KubeClient, request: StartRequest): Promise<ExecSession> {
  const { command, signal } = request
  checkCommand(command)
  const target = await withContainer(client, request.target, signal)
  // The server or the kubelet is away or has just started: nothing was run yet.
  const start = systemClock.now()
  const when = (error: unknown): boolean =>
    kubeError.is(error) &&
    nextOf(error) === 'retry' &&
    wasNotCarriedOut(error) &&
    systemClock.now() - start < budgetOf(error, client.budgetMs)
  const again = { signal, when, firstMs: 200, maxMs: 5_000, budgetMs: client.budgetMs }
  return await retry(() => startIn(client, { ...request, target }), again)
}

type InContainer = Omit<StartRequest, 'target'> & { readonly target: ExecTarget & { readonly container: string } }

async function startIn(client: KubeClient, request: InContainer): Promise<ExecSession> {
  const { command, options, target } = request
  const { form = 'auto' } = options
  const wrapped = form !== 'plain' && isWrappable(command)
  if (!wrapped && request.keep?.again) throw noRecord(`pod "${target.namespace}/${target.pod}", command "${command[0]}"`)
  try {
    return await ExecSession.start(client, { ...request, target }, wrapped)
  } catch (error) {
    if (!(error instanceof NoShell)) throw error
    if (request.keep?.again) throw noRecord(`pod "${target.namespace}/${target.pod}", container "${target.container}"`)
    if (form === 'wrapped') {
      throw kubeError(
        'KUBE_EXEC_REFUSED',
        `pod "${target.namespace}/${target.pod}", container "${target.container}": its image has no sh`,
      )
    }
    return await ExecSession.start(client, { ...request, target }, false)
  }
}

function checkCommand(command: readonly string[]): void {
  if (!command[0]) throw kubeError('KUBE_EXEC_REFUSED', 'the command is empty')
  if (command.some((arg) => arg.includes('\0')))
    throw kubeError('KUBE_EXEC_REFUSED', 'an argument of the command holds a NUL byte')
}

interface Lifetime {
  readonly signal: AbortSignal
  abort(reason: unknown): void
  end(): void
}

/** The caller's signal, the deadline and the reader's giving up, as one. */
function lifetime(target: ExecTarget, { signal, timeoutMs }: ExecOptions): Lifetime {
  const own = new AbortController()
  const stop = (): void => own.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()
  const late = (): void =>
    own.abort(
      kubeError(
        'KUBE_TIMEOUT',
        `pod "${target.namespace}/${target.pod}": the command did not end within ${Number(timeoutMs) / 1000} s`,
      ),
    )
  const timer = timeoutMs === undefined ? undefined : setTimeout(late, timeoutMs)
  return {
    signal: own.signal,
    abort: (reason) => own.abort(reason),
    end() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    },
  }
}

function noop(): void {
  // nothing to do: the failure is seen elsewhere
}
