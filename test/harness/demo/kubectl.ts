import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { run } from '../machine/command.ts'

const bin = resolve(import.meta.dirname, '../../../bin')

/** kubectl of one cluster; the plugin for `kubectl create actionset` is in its PATH. */
export class Kubectl {
  readonly #program: string
  readonly #env: Record<string, string>
  readonly #context: string[]

  constructor(options: { readonly program: string; readonly kubeconfig?: string; readonly context?: string }) {
    this.#program = options.program
    this.#context = options.context ? ['--context', options.context] : []
    this.#env = {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      ...(options.kubeconfig ? { KUBECONFIG: options.kubeconfig } : {}),
    }
  }

  /** Runs to the end and gives stdout. */
  async run(args: readonly string[], input?: string): Promise<string> {
    return run(this.#program, this.#withContext(args), { env: this.#env, ...(input === undefined ? {} : { input }) })
  }

  /** Runs in view of the user: what it says on stderr is printed as it comes; gives stdout. Rejects on a non-zero exit. */
  async show(args: readonly string[], print: (line: string) => void): Promise<string> {
    const child = spawn(this.#program, this.#withContext(args), {
      env: { ...process.env, ...this.#env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let stdout = ''
    let pending = ''
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
    child.stderr.on('data', (chunk: Buffer) => {
      const lines = `${pending}${chunk.toString()}`.split('\n')
      pending = lines.pop() ?? ''
      lines.forEach(print)
    })
    const code = await new Promise<number>((done, fail) => {
      child.once('error', fail)
      child.once('close', (exit) => done(exit ?? 128))
    })
    if (pending) print(pending)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with exit code ${code}`)
    return stdout
  }

  /** A plugin gets no flags that stand before its name, so the context goes behind. */
  #withContext(args: readonly string[]): string[] {
    const words = args[0] === 'create' && args[1] === 'actionset' ? 2 : 0
    return [...args.slice(0, words), ...this.#context, ...args.slice(words)]
  }
}
