import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type {
  CaptureOptions,
  CaptureResult,
  ExecOptions,
  ExecResult,
  ExecStream,
  ExecTarget,
  KubeExec,
} from '../../src/kube/exec/exec.ts'
import { kubeError } from '../../src/kube/errors.ts'

export interface LocalExec extends KubeExec {
  /** What was run where, in order. */
  readonly calls: { readonly target: ExecTarget; readonly command: readonly string[] }[]
}

/** Runs commands on this machine, whatever the pod: containers whose paths are those of the machine. */
export function localExec(): LocalExec {
  const calls: LocalExec['calls'] = []
  return {
    calls,
    capture: async (target, command, options = {}) => {
      calls.push({ target, command })
      return capture(command, options)
    },
    keep: async (target, command, options) => {
      calls.push({ target, command })
      return { ...(await capture(command, options)), how: 'ran', release: async () => undefined }
    },
    drop: async () => undefined,
    stream: async (target, command, options = {}) => {
      calls.push({ target, command })
      return stream(command, options)
    },
  }
}

async function capture(command: readonly string[], options: CaptureOptions): Promise<CaptureResult> {
  const { child, ended } = start(command, options)
  const texts: Buffer[] = []
  child.stdout.on('data', (bytes: Buffer) => texts.push(bytes))
  const input = options.stdin ? pipeline(Readable.from(options.stdin), child.stdin) : void child.stdin.end()
  const [result] = await Promise.all([ended, input])
  const stdout = Buffer.concat(texts).toString()
  for (const line of linesOf(stdout)) options.onStdout?.(line)
  return { ...result, stdout, truncated: false }
}

async function stream(command: readonly string[], options: ExecOptions): Promise<ExecStream> {
  const { child, ended } = start(command, options)
  child.stdin.end()
  async function* bytes(): AsyncGenerator<Uint8Array> {
    yield* child.stdout as AsyncIterable<Uint8Array>
    const { exitCode } = await ended
    if (exitCode !== 0) throw kubeError('KUBE_EXEC_FAILED', `command terminated with exit code ${exitCode}`)
  }
  return { stdout: Readable.from(bytes()), result: ended, remotePid: child.pid }
}

function start(command: readonly string[], { signal, onStderr }: ExecOptions) {
  const [program = 'false', ...args] = command
  const child = spawn(program, args, { cwd: '/', ...(signal ? { signal } : {}) })
  let stderr = ''
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()))
  const ended = once(child, 'close').then(([exitCode]): ExecResult => {
    for (const line of linesOf(stderr)) onStderr?.(line)
    const counts = { stdoutBytes: 0, stderrBytes: stderr.length, stdinBytes: 0, stdinEnded: true }
    return { ...counts, exitCode: exitCode as number, stderrTail: stderr, integrity: 'verified' }
  })
  // Whoever leaves early does not wait for the end.
  ended.catch(() => undefined)
  return { child, ended }
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}
