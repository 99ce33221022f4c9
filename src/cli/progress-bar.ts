import { formatBytes } from '../base/bytes.ts'
import type { Clock } from '../base/clock.ts'
import type { Output } from './output.ts'

export interface Progress {
  readonly doneBytes: number
  /** Where it is known. */
  readonly totalBytes?: number
  /** Beside the bytes: `12 files`. */
  readonly note?: string
}

const drawEveryMs = 200
/** The rate is that of about so long, so that it follows changes. */
const rateOverMs = 10_000

/** One line on a terminal that is drawn again and again; elsewhere nothing. `end` wipes it. */
export class ProgressBar {
  readonly #output: Output
  readonly #clock: Clock
  readonly #started: number
  #drawn = 0
  #width = 0
  #samples: Array<{ readonly at: number; readonly bytes: number }> = []

  constructor(output: Output, clock: Clock) {
    this.#output = output
    this.#clock = clock
    this.#started = clock.now()
  }

  update(progress: Progress): void {
    const now = this.#clock.now()
    if (!this.#output.live || now - this.#drawn < drawEveryMs) return
    this.#drawn = now
    this.#samples = [...this.#samples.filter(({ at }) => now - at < rateOverMs), { at: now, bytes: progress.doneBytes }]
    const line = renderProgress(progress, { elapsedMs: now - this.#started, bytesPerSecond: this.#rate() })
    this.#output.err(`\r${line.padEnd(this.#width)}`)
    this.#width = line.length
  }

  end(): void {
    if (this.#width > 0) this.#output.err(`\r${' '.repeat(this.#width)}\r`)
    this.#width = 0
  }

  #rate(): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)]
    const ms = (last?.at ?? 0) - (first?.at ?? 0)
    return ms > 0 ? (((last?.bytes ?? 0) - (first?.bytes ?? 0)) * 1000) / ms : 0
  }
}

export interface Pace {
  readonly elapsedMs: number
  readonly bytesPerSecond: number
}

/** `[0:12]  45.2 %  1.200 GiB of 2.600 GiB  130.000 MiB/s  0:11 left  12 files` */
export function renderProgress({ doneBytes, totalBytes, note }: Progress, { elapsedMs, bytesPerSecond }: Pace): string {
  const known = totalBytes !== undefined && totalBytes > 0 && doneBytes <= totalBytes
  const leftMs = known && bytesPerSecond > 0 ? ((totalBytes - doneBytes) / bytesPerSecond) * 1000 : undefined
  return [
    `[${renderDuration(elapsedMs)}]`,
    ...(known ? [`${((doneBytes * 100) / totalBytes).toFixed(1)} %`] : []),
    known ? `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}` : formatBytes(doneBytes),
    ...(bytesPerSecond > 0 ? [`${formatBytes(Math.round(bytesPerSecond))}/s`] : []),
    ...(leftMs === undefined ? [] : [`${renderDuration(leftMs)} left`]),
    ...(note ? [note] : []),
  ].join('  ')
}

function renderDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)]
  const tail = String(seconds % 60).padStart(2, '0')
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`
}
