import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, mkdirSync } from 'node:fs'
import { once } from 'node:events'
import { join } from 'node:path'
import { waitFor } from '../harness/world/wait-for.ts'

export interface EngineProcessOptions {
  /** The engine as one file. */
  readonly program: string
  readonly part: 'operator' | 'worker'
  readonly name: string
  readonly env: Readonly<Record<string, string>>
  readonly logFolder: string
}

/** A process of the engine on this machine that can be killed, put to sleep and started again under its name. */
export class EngineProcess {
  readonly options: EngineProcessOptions
  starts = 0
  /** When each start had come so far that it could work, by its number. */
  readonly upMs = new Map<number, number>()
  #child: ChildProcess | undefined
  #log = ''

  constructor(options: EngineProcessOptions) {
    this.options = options
    mkdirSync(options.logFolder, { recursive: true })
    // Nothing that we started outlives us.
    process.on('exit', () => this.#child?.kill('SIGKILL'))
  }

  get alive(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Starts it unless it lives; does not wait until it is ready. */
  start(): void {
    if (this.alive) return
    const { program, part, name, env, logFolder } = this.options
    const number = ++this.starts
    const child = spawn(process.execPath, [program, part], {
      env: { PATH: process.env['PATH'], HOLDFAST_WORKER_NAME: name, HEALTH_CHECK_PORT: '0', LOG_LEVEL: 'debug', ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const file = createWriteStream(join(logFolder, `${name}-${number}.log`))
    this.#log = ''
    child.stderr.on('data', (chunk: Buffer) => {
      file.write(chunk)
      this.#log = (this.#log + chunk.toString()).slice(-100_000)
      if (!this.upMs.has(number) && this.#log.includes('"msg":"started"')) this.upMs.set(number, performance.now())
    })
    this.#child = child
  }

  async ready(): Promise<void> {
    await waitFor(`${this.options.name} to be ready`, () => this.#log.includes('"msg":"ready"'), { timeoutMs: 60_000 })
  }

  /** Sends the signal to the process that we started, and to no other. */
  signal(name: NodeJS.Signals): void {
    if (this.alive) this.#child?.kill(name)
  }

  async kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (!child || !this.alive) return
    const ended = once(child, 'exit')
    child.kill(name)
    await ended
  }
}
