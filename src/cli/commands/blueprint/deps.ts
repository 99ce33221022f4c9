import type { Output } from '../../output.ts'

export interface BlueprintDeps {
  readonly output: Output
  /** The whole of a file; `-` is stdin. */
  readText(file: string): Promise<string>
  /** Sets the exit code of the process: findings are a result and no failure of the command. */
  finish(exitCode: number): void
}
