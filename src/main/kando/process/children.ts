import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { cliError } from '../../../cli/errors.ts'
import type { OutputName, ServeOptions, ServedProcess } from '../../../cli/kando/process/processes.ts'
import { KeptOutput } from './kept-output.ts'

/** Ended processes whose state and output can still be asked for; the oldest beyond are forgotten, and their files removed. */
const keptEnded = 1000
/** From the request to end to the end by force, when the server ends. */
const graceMs = 5000

interface Piped {
  readonly stdout: Readable
  readonly stderr: Readable
}

interface Entry {
  readonly child: ChildProcess & Piped
  readonly outputs: Readonly<Record<OutputName, KeptOutput>>
  /** Ends when all it printed is kept; what it left running in the background may print on after its end. */
  readonly keeping: Promise<unknown>
  kept: boolean
  ended: { readonly code: number | null; readonly by: NodeJS.Signals | null } | undefined
}

/** The processes that a server started, by pid, with what they printed. */
export class Children {
  readonly #folder: string
  readonly #log: ServeOptions['log']
  readonly #entries = new Map<number, Entry>()
  #started = 0

  private constructor(folder: string, log: ServeOptions['log']) {
    this.#folder = folder
    this.#log = log
  }

  static async open(log: ServeOptions['log']): Promise<Children> {
    return new Children(await mkdtemp(join(tmpdir(), 'kando-')), log)
  }

  async create(name: string, args: readonly string[]): Promise<ServedProcess> {
    const base = join(this.#folder, `kando.${this.#started++}`)
    const outputs = { stdout: await KeptOutput.open(`${base}.stdout`), stderr: await KeptOutput.open(`${base}.stderr`) }
    let child: ChildProcess & Piped
    try {
      child = await start(name, args)
    } catch (error) {
      await Promise.all([outputs.stdout.discard(), outputs.stderr.discard()])
      throw cliError('CLI_USAGE', `command "${name}" cannot be started`, { cause: error })
    }
    return stateOf(await this.#take(child, outputs))
  }

  get(pid: number): ServedProcess {
    return stateOf(this.#entry(pid))
  }

  list(): ServedProcess[] {
    return [...this.#entries.values()].map(stateOf)
  }

  /** To the process itself, not to what it started. */
  signal(pid: number, number: number): ServedProcess {
    const entry = this.#entry(pid)
    const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0]
    if (name === undefined && number !== 0) throw cliError('CLI_USAGE', `${number} is not the number of a signal`)
    // Never by pid alone: after its end another may have it.
    if (entry.ended || !entry.child.kill(number)) throw cliError('CLI_USAGE', `process ${pid} has ended`)
    return stateOf(entry)
  }

  follow(pid: number, name: OutputName, signal: AbortSignal): AsyncIterable<Uint8Array> {
    return this.#entry(pid).outputs[name].follow(signal)
  }

  /** Asks all that run to end, ends them by force after a while, and removes what is kept. */
  async close(): Promise<void> {
    const running = [...this.#entries.values()].filter(({ ended, kept }) => !ended || !kept)
    const allKept = Promise.all(running.map(({ keeping }) => keeping))
    for (const { child } of running) endGroup(child, 'SIGTERM')
    if (!(await within(allKept, graceMs))) {
      for (const { child } of running) endGroup(child, 'SIGKILL')
      // What left the group of its command may still hold the pipes.
      if (!(await within(allKept, graceMs))) for (const { child } of running) release(child)
    }
    await rm(this.#folder, { recursive: true, force: true })
  }

  async #take(child: ChildProcess & Piped, outputs: Entry['outputs']): Promise<Entry> {
    const pid = child.pid as number // It was spawned.
    const log = (stream: OutputName) => (chunk: Buffer) => this.#log('output', { pid, stream, text: chunk.toString() })
    const exit = Promise.withResolvers<void>()
    const keeping = Promise.allSettled([
      outputs.stdout.keep(child.stdout, exit.promise, log('stdout')),
      outputs.stderr.keep(child.stderr, exit.promise, log('stderr')),
    ])
    const entry: Entry = { child, outputs, keeping, kept: false, ended: undefined }
    child.once('exit', (code, by) => {
      this.#noteEnd(entry, code, by)
      exit.resolve()
    })
    void keeping.then(() => (entry.kept = true))
    this.#log('started', { pid, command: child.spawnfile })
    await this.#forget(this.#entries.get(pid))
    this.#entries.set(pid, entry)
    return entry
  }

  #noteEnd(entry: Entry, code: number | null, by: NodeJS.Signals | null): void {
    entry.ended = { code, by }
    const { pid, exitCode, exitErr } = stateOf(entry)
    this.#log('ended', { pid, exitCode, exitErr })
    const ended = [...this.#entries.values()].filter((one) => one.ended)
    for (const old of ended.slice(0, -keptEnded)) void this.#forget(old)
  }

  async #forget(entry: Entry | undefined): Promise<void> {
    if (!entry) return
    this.#entries.delete(entry.child.pid as number) // Only what was spawned is in the map.
    await Promise.all([entry.outputs.stdout.remove(), entry.outputs.stderr.remove()])
  }

  #entry(pid: number): Entry {
    const entry = this.#entries.get(pid)
    if (!entry) throw cliError('CLI_USAGE', `Process not found: this server started no process ${pid}, or long ago`)
    return entry
  }
}

function stateOf({ child, ended }: Entry): ServedProcess {
  const pid = child.pid ?? 0
  if (!ended) return { pid, state: 'PROCESS_STATE_RUNNING', exitCode: 0, exitErr: '' }
  if (ended.code === 0) return { pid, state: 'PROCESS_STATE_SUCCEEDED', exitCode: 0, exitErr: '' }
  const exitErr = ended.code === null ? `signal: ${goSignals[ended.by ?? ''] ?? ended.by}` : `exit status ${ended.code}`
  return { pid, state: 'PROCESS_STATE_FAILED', exitCode: ended.code ?? -1, exitErr }
}

/** Go's words for the signals that end most. */
const goSignals: Readonly<Record<string, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGQUIT: 'quit',
  SIGABRT: 'aborted',
  SIGKILL: 'killed',
  SIGSEGV: 'segmentation fault',
  SIGPIPE: 'broken pipe',
  SIGALRM: 'alarm clock',
  SIGTERM: 'terminated',
  SIGUSR1: 'user defined signal 1',
  SIGUSR2: 'user defined signal 2',
}

async function start(name: string, args: readonly string[]): Promise<ChildProcess & Piped> {
  const child = spawn(name, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that it can be ended with all it started.
    detached: true,
  })
  await once(child, 'spawn')
  return child
}

/** Only for those that still run or whose output is open: the number of a group that is gone may be another's. */
function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid as number), signal)
  } catch {
    // Nobody of it is left.
  }
}

function release(child: Piped): void {
  child.stdout.destroy()
  child.stderr.destroy()
}

async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController()
  try {
    return await Promise.race([promise.then(() => true), delay(ms, false, { signal: timer.signal })])
  } finally {
    timer.abort()
  }
}
