import { Worker } from 'node:worker_threads'
import { repositoryError } from '../errors.ts'
import type { ThreadStart } from './messages.ts'

/**
 * Where threads begin. From the sources that is thread.ts beside this file; a bundle puts its build of thread.ts beside itself
 * as `repository-thread.js` (and the kernel as `chunker.wasm`).
 */
function entry(): URL {
  const name = import.meta.url.endsWith('.ts') ? './thread.ts' : './repository-thread.js'
  return new URL(name, import.meta.url)
}

export interface EngineThread<Request, Report> {
  send(request: Request, transfer?: readonly ArrayBuffer[]): void
  stop(): Promise<void>
  readonly onReport: (handler: (report: Report) => void) => void
}

/** `onFailure` hears at most one thing: the thread's error, or that it ended without being asked to. */
export function startThread<Request, Report>(
  start: ThreadStart,
  onFailure: (error: unknown) => void,
): EngineThread<Request, Report> {
  // Little garbage is made that is not freed by hand, so the young generation may be small.
  const worker = new Worker(entry(), {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
    name: `repository-${start.role}`,
  })
  let stopping = false
  let failed = false
  const fail = (error: unknown): void => {
    if (stopping || failed) return
    failed = true
    onFailure(error)
  }
  worker.on('error', (cause) => fail(repositoryError('REPOSITORY_ENGINE_FAILED', `the ${start.role} thread failed`, { cause })))
  worker.on('exit', (code) =>
    fail(repositoryError('REPOSITORY_ENGINE_FAILED', `the ${start.role} thread ended with code ${code}`)),
  )
  return {
    send: (request, transfer = []) => worker.postMessage(request, [...transfer]),
    onReport: (handler) => void worker.on('message', handler),
    stop: async () => {
      stopping = true
      await worker.terminate()
    },
  }
}
