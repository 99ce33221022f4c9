import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { homedir } from 'node:os'

export interface CommandOptions {
  readonly cwd?: string
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Hand down the environment of this process, or only where programs are. @default 'all' */
  readonly inherit?: 'all' | 'path'
  readonly input?: string
  readonly signal?: AbortSignal
  /** Exit codes that are no failure. @default [0] */
  readonly accept?: readonly number[]
}

export interface CommandResult {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** Runs a program to its end and gives its stdout; fails with the tail of what it said. For short outputs. */
export async function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return (await runFully(program, args, options)).stdout
}

export async function runFully(program: string, args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const child = spawn(program, args, {
    env: { ...inherited(options.inherit), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  // The program may end without reading its input; its exit code tells.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  const result = { stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code: code ?? 128 }
  if (!(options.accept ?? [0]).includes(result.code)) throw commandFailed(program, args, signal ?? result.code, result)
  return result
}

/** The environment of this process, with the folders that Debian's root shell may lack in PATH. */
export function systemEnvironment(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const folders = new Set([...(env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/go/bin'])
  return { ...env, PATH: [...folders].filter(Boolean).join(':') }
}

function inherited(which: CommandOptions['inherit']): NodeJS.ProcessEnv {
  const all = systemEnvironment()
  return which === 'path' ? { PATH: all['PATH'], HOME: homedir(), LANG: 'C.UTF-8' } : all
}

/** True when a program of that name is in the PATH. */
export async function hasProgram(program: string): Promise<boolean> {
  return (await runFully('sh', ['-c', 'command -v "$0" >/dev/null', program], { accept: [0, 1, 127] })).code === 0
}

function commandFailed(program: string, args: readonly string[], end: number | string, result: CommandResult): Error {
  const said = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-25).join('\n')
  return new Error(`${program} ${args.slice(0, 6).join(' ')} ended with ${end}:\n${said}`)
}
