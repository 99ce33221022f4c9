import { parentPort, workerData } from 'node:worker_threads'
import { runCutThread } from './cut-thread.ts'
import type { ThreadStart } from './messages.ts'
import { runOpenThread } from './open-thread.ts'
import { runSealThread } from './seal-thread.ts'

/** Entry point of every engine thread. A bundle needs this file as an entry of its own; see start-thread.ts. */
function main(start: ThreadStart): void {
  if (!parentPort) throw new Error('this file is the entry of a thread, not of a process')
  if (start.role === 'cut') runCutThread(parentPort, start)
  else if (start.role === 'seal') runSealThread(parentPort, start)
  else runOpenThread(parentPort, start)
}

// The one who starts the thread is start-thread.ts, which gives a ThreadStart.
main(workerData as ThreadStart)
