import type { EventEmitter } from 'node:events'
import { messageOf } from '../base/errors.ts'

/** What a shell reports for a program that SIGPIPE ended, as kubectl and most others are; Node ignores that signal. */
const endedByPipe = 141

interface Ways {
  /** Where the program writes: its output and its messages. */
  readonly outputs: readonly EventEmitter[]
  readonly err: (text: string) => void
  /** Work goes no further: nobody reads what would come of it. */
  readonly stop: (reason: Error) => void
  readonly finish: (exitCode: number) => void
}

/** What became of the outputs. */
export interface WatchedOutputs {
  /** Sets the exit code if this failure came of the outputs, and says whether it did. */
  caused(failure: unknown): boolean
}

/**
 * Output that nobody reads any more (`holdfast … | head`) ends the work without a word. Work that was done by then keeps its exit
 * code. Output that cannot be written for another reason, such as a full disk, is a failure.
 */
export function watchOutputs({ outputs, err, stop, finish }: Ways): WatchedOutputs {
  let exitCode: number | undefined
  const onError = (error: NodeJS.ErrnoException): void => {
    if (exitCode !== undefined) return
    const isClosed = error.code === 'EPIPE'
    exitCode = isClosed ? endedByPipe : 1
    if (!isClosed) {
      err(`Error: the output cannot be written: ${messageOf(error)}\n`)
      finish(exitCode)
    }
    stop(error)
  }
  for (const output of outputs) output.on('error', onError)
  return {
    caused: (failure) => {
      if (exitCode === undefined || !isEndOfWork(failure)) return false
      finish(exitCode)
      return true
    },
  }
}

/** Of the write itself, or of the work that was stopped for it; whoever stopped may have said so in its own words. */
function isEndOfWork(failure: unknown): boolean {
  for (let at = failure; at instanceof Error; at = at.cause) {
    if (at.name === 'AbortError' || ('syscall' in at && at.syscall === 'write')) return true
  }
  return false
}
