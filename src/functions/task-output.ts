import { readOutputLine } from '../api/phase-output.ts'
import type { Logger } from '../telemetry/logger.ts'
import { functionError } from './errors.ts'
import type { SecretValues } from './secret-values.ts'

/** Outputs live in the Run; more than this in one phase is a mistake that should be named where it happens. */
const outputsLimitBytes = 512 * 1024
const tailLines = 10
const tailLineChars = 2_000
/** Much more of a line than the tail shows, so that a secret is masked before it could be cut in two. */
const keptLineChars = 64 * 1024
/** A command that says more than this says it to nobody; its first lines and what it does at the end are what one looks for. */
const logLimitBytes = 4 * 1024 * 1024

/**
 * What a command prints, line by line: output markers are collected, everything else goes to the log, secrets masked. The log gets the first
 * 4 MiB, then only how much more there was, each time that doubles. Memory is bounded by the outputs' limit and a tail of ten lines.
 */
export class TaskOutput {
  readonly #log: Logger
  readonly #secrets: SecretValues
  readonly #markers: boolean
  readonly #outputs = new Map<string, string>()
  readonly #tail: string[] = []
  #size = 0
  #logged = 0
  #unlogged = { lines: 0, bytes: 0, sayAt: 1 }
  #problem: Error | undefined

  constructor(options: { readonly log: Logger; readonly secrets: SecretValues; readonly markers: boolean }) {
    this.#log = options.log
    this.#secrets = options.secrets
    this.#markers = options.markers
  }

  /** Takes one line. Never throws: a marker that cannot be read is kept for `outputs()`. */
  take(line: string): void {
    try {
      const read = this.#markers ? readOutputLine(line) : { text: line, output: undefined }
      if (read.output) this.#keep(read.output)
      if (read.text.trim() !== '') this.#show(read.text)
    } catch (error) {
      this.#problem ??= error instanceof Error ? error : new Error(String(error))
      this.#show(line)
    }
  }

  /** Undefined when no marker was printed. Throws FUNCTION_BAD_MARKER when one could not be read. */
  outputs(): Record<string, string> | undefined {
    if (this.#problem) {
      const text = this.#secrets.redact(this.#problem.message)
      throw functionError('FUNCTION_BAD_MARKER', `an output marker could not be read: ${text}`, { cause: this.#problem })
    }
    return this.#outputs.size === 0 ? undefined : Object.fromEntries(this.#outputs)
  }

  /** True as soon as a line was seen that must fail the phase. */
  get broken(): boolean {
    return this.#problem !== undefined
  }

  /** The last ten lines that are not blank, secrets masked. */
  get tail(): string {
    return this.#tail.map((line) => this.#secrets.redact(line).trim().slice(0, tailLineChars)).join('\n')
  }

  #keep(output: { readonly key: string; readonly value: string }): void {
    this.#size += output.key.length + output.value.length - (this.#outputs.get(output.key)?.length ?? 0)
    if (this.#size > outputsLimitBytes) {
      throw new Error(
        `output "${output.key}" makes the outputs larger than ${outputsLimitBytes} bytes; put large results into the location`,
      )
    }
    this.#outputs.set(output.key, output.value)
  }

  #show(line: string): void {
    this.#tail.push(line.trimEnd().slice(0, keptLineChars))
    if (this.#tail.length > tailLines) this.#tail.shift()
    this.#logged += line.length
    if (this.#logged > logLimitBytes) return this.#count(line.length)
    this.#log.info({ LogKind: 'datapath', Out: this.#secrets.redact(line.trimEnd()) }, 'Pod Update')
  }

  #count(size: number): void {
    const unlogged = this.#unlogged
    unlogged.lines++
    unlogged.bytes += size
    if (unlogged.lines < unlogged.sayAt) return
    unlogged.sayAt *= 2
    const Out = `(${unlogged.lines} more lines so far, ${unlogged.bytes} characters, are not logged)`
    this.#log.info({ LogKind: 'datapath', Out }, 'Pod Update')
  }
}
