import type { CutReport, CutRequest, CutThreadStart } from './messages.ts'
import type { Progress } from './progress.ts'
import { type EngineThread, startThread } from './start-thread.ts'

/** The cutting thread as the main thread sees it. Requests are answered in order; `idle` means that it reads nothing. */
export class CutClient {
  readonly #thread: EngineThread<CutRequest, CutReport>
  #unanswered = 0

  constructor(start: CutThreadStart, progress: Progress, onReport: (report: CutReport) => void) {
    this.#thread = startThread<CutRequest, CutReport>(start, (error) => progress.fail(error))
    this.#thread.onReport((report) => {
      if (progress.failed) return
      this.#unanswered--
      onReport(report)
      progress.notify()
    })
  }

  get idle(): boolean {
    return this.#unanswered === 0
  }

  send(request: CutRequest): void {
    this.#unanswered++
    this.#thread.send(request)
  }

  stop(): Promise<void> {
    return this.#thread.stop()
  }
}
