import { constants } from 'node:os'
import type { Processes } from '../../../cli/kando/process/processes.ts'

/** gRPC is loaded by the first use, so that all other commands start without it. */
export function createProcesses(): Processes & {
  /** True if a signal of this process was meant for a process that it follows, and was handed on. */
  taken(name: 'SIGTERM' | 'SIGINT' | 'SIGHUP'): boolean
} {
  let taker: ((signal: number) => void) | undefined
  return {
    serve: async (address, options) => (await import('./serve.ts')).serveProcesses(address, options),
    connect: async (address) => (await import('./connect.ts')).connectProcesses(address),
    takeSignals: (take) => {
      taker = take
      return { [Symbol.dispose]: () => void (taker = undefined) }
    },
    taken: (name) => {
      if (!taker || name === 'SIGHUP') return false
      taker(constants.signals[name])
      return true
    },
  }
}
