import type { Clock } from '../../src/base/clock.ts'
import type { Random } from './random.ts'

/** A process of the simulation: what is dead is never called again, what is paused is called when it wakes. */
export interface SimProcess {
  readonly name: string
  dead: boolean
  paused: boolean
  /** How far its clock is from the others'. */
  readonly skewMs: number
  readonly held: Task[]
}

export interface Task {
  at: number
  tie: number
  readonly process: SimProcess
  run: (() => void) | undefined
}

export function simProcess(name: string, skewMs = 0): SimProcess {
  return { name, dead: false, paused: false, skewMs, held: [] }
}

/** Of the machine under the test, not of what it runs: kept from before anything was replaced. */
const nextTurn = globalThis.setImmediate

/**
 * The one order in which things happen. Everything that a process waits for is a task with a time; the earliest runs next,
 * equal times in an order of chance. Between two tasks every promise that can settle has settled, so a kill or pause between
 * them is one at an await.
 */
export class VirtualTime {
  now = Date.UTC(2026, 0, 1)
  steps = 0
  current: SimProcess
  /** Called before each task of a living process; may kill or pause it. */
  beforeTask: (process: SimProcess) => void = () => undefined
  readonly outside = simProcess('outside')
  readonly #random: Random
  readonly #heap: Task[] = []

  constructor(random: Random) {
    this.#random = random
    this.current = this.outside
  }

  after(ms: number, process: SimProcess, run: () => void): Task {
    const task = { at: this.now + Math.max(0, ms), tie: this.#random.next(), process, run }
    this.#push(task)
    return task
  }

  cancel(task: Task): void {
    task.run = undefined
  }

  wake(process: SimProcess): void {
    process.paused = false
    for (const task of process.held.splice(0)) {
      task.at = this.now
      task.tie = this.#random.next()
      this.#push(task)
    }
  }

  clock(process: SimProcess): Clock {
    return {
      now: () => Math.floor(this.now) + process.skewMs,
      sleep: (ms, signal) => this.#sleep(process, ms, signal),
    }
  }

  /** Runs until `done`, or until nothing is left, or until the time is up; true when done. */
  async run(done: () => boolean, untilMs: number): Promise<boolean> {
    return await new Promise((resolve, reject) => {
      const turn = (): void => {
        try {
          if (done()) return resolve(true)
          if (!this.#runNext(untilMs)) return resolve(false)
          nextTurn(turn)
        } catch (error) {
          reject(error)
        }
      }
      turn()
    })
  }

  #runNext(untilMs: number): boolean {
    for (;;) {
      const task = this.#pop()
      if (!task || task.at > untilMs) return false
      if (!task.run || task.process.dead) continue
      if (!task.process.paused) this.beforeTask(task.process)
      if (task.process.dead) continue
      if (task.process.paused) {
        task.process.held.push(task)
        continue
      }
      this.now = Math.max(this.now, task.at)
      this.steps++
      this.current = task.process
      const { run } = task
      task.run = undefined
      run()
      return true
    }
  }

  #sleep(process: SimProcess, ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = (): void => {
        this.cancel(task)
        reject(signal?.reason)
      }
      const task = this.after(ms, process, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  #push(task: Task): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(task)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(task, heap[parent] as Task)) break
      heap[at] = heap[parent] as Task
      at = parent
    }
    heap[at] = task
  }

  #pop(): Task | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (!last || heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Task, heap[child] as Task)) child++
      if (!isBefore(heap[child] as Task, last)) break
      heap[at] = heap[child] as Task
      at = child
    }
    heap[at] = last
    return top
  }
}

function isBefore(a: Task, b: Task): boolean {
  return a.at < b.at || (a.at === b.at && a.tie < b.tie)
}
