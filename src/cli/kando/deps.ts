import type { Clock } from '../../base/clock.ts'
import type { OpenedStore } from '../../store/location.ts'
import type { ResolvedProfile } from '../../store/profile-json.ts'
import type { Output } from '../output.ts'
import type { OutputName, Processes } from './process/processes.ts'

/** What `kando` touches of the process it runs in. */
export interface KandoDeps {
  readonly output: Output
  openStore(profile: ResolvedProfile): OpenedStore
  /** The bytes of a file, or of stdin for `-`. */
  openSource(source: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>
  /** A file, or stdout for `-`. */
  openTarget(target: string): Promise<Target>
  /** What `sh -c command` prints, with this environment or ours; fails unless it ends with 0. */
  openCommand(
    command: string,
    env: Readonly<Record<string, string>> | undefined,
    signal: AbortSignal,
  ): AsyncIterable<Uint8Array>
  /** Undefined when the file is not there. */
  findText(file: string): Promise<string | undefined>
  /** Names and texts of the files of a folder. */
  readFolder(folder: string): Promise<Readonly<Record<string, string>>>
  /** Our own stdout or stderr, for output that is passed on; its end is never given. */
  openOwnOutput(name: OutputName): Pick<Target, 'write'>
  readonly processes: Processes
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Where a pull writes. Either `commit` or `discard` ends it. */
export interface Target {
  /** Resolves when the chunk has left the process; its memory may then be used for something else. */
  write(chunk: Uint8Array): Promise<void>
  /** Everything is written and whole. */
  commit(): Promise<void>
  /** What was written is not whole: a file is taken away, a pipe is left without having been given its end. */
  discard(): Promise<void>
}
