import type { IdTable } from '../id-table.ts'
import { createIdTable } from '../id-table.ts'
import type { Sealer } from '../format/seal.ts'
import type { SealJob, SealReport, SealRequest, SealResult, SealThreadStart } from './messages.ts'
import type { Progress } from './progress.ts'
import { type EngineThread, startThread } from './start-thread.ts'

export type ReadyPack = Extract<SealReport, { readonly kind: 'pack' }>

export interface SealPoolOptions {
  readonly threads: number
  readonly sealer: Sealer
  readonly version: number
  readonly ring: SharedArrayBuffer
  readonly known: IdTable
  readonly verifyBlobs: boolean
  readonly progress: Progress
  /** The buffer is lent until `giveBack`. */
  readonly onPack: (pack: ReadyPack, giveBack: () => void) => void
}

interface Member {
  readonly thread: EngineThread<SealRequest, SealReport>
  /** Bytes handed over and not reported yet. */
  load: number
  outbox: SealJob[]
  outboxBytes: number
  finished: boolean
}

/** Chunks of small files travel together. */
const outboxJobs = 64
const outboxBytes = 512 << 10
const firstFreshSlots = 1 << 17
/** Of data packs in all threads together, 17 MiB each as a rule; a thread fills two and needs a third to go on during an upload. */
const packBuffers = 4
const leastPackBuffers = 3

/** The sealing threads as one: takes chunks and trees, gives their ids and the packs. */
export class SealPool {
  readonly #members: Member[]
  readonly #waiting = new Map<
    number,
    { readonly member: Member; readonly bytes: number; readonly done: (result: SealResult) => void }
  >()
  readonly #progress: Progress
  #next = 0
  #freshSlots = firstFreshSlots
  #freshIds = 0
  #flushing = false

  constructor(options: SealPoolOptions) {
    const { sealer, progress, onPack } = options
    this.#progress = progress
    const fresh = createIdTable(firstFreshSlots, 0).memory
    const { encrypt, macK, macR } = sealer.key
    const start: SealThreadStart = {
      role: 'seal',
      key: new Uint8Array([...encrypt, ...macK, ...macR]),
      version: options.version,
      ring: options.ring,
      known: options.known.memory,
      fresh,
      verifyBlobs: options.verifyBlobs,
      packBuffers: Math.max(leastPackBuffers, Math.floor(packBuffers / options.threads)),
    }
    this.#members = Array.from({ length: options.threads }, () => {
      const thread = startThread<SealRequest, SealReport>(start, (error) => progress.fail(error))
      const member: Member = { thread, load: 0, outbox: [], outboxBytes: 0, finished: false }
      thread.onReport((report) => this.#onReport(member, report, onPack))
      return member
    })
  }

  /** Chunks and trees whose ids are not known yet. */
  get pending(): number {
    return this.#waiting.size
  }

  /** Bytes handed over and not sealed yet. */
  get load(): number {
    return this.#members.reduce((sum, member) => sum + member.load, 0)
  }

  /** A chunk that lies in the ring and stays there until `done`. */
  chunk(chunk: Omit<SealJob, 'sequence'>, done: (result: SealResult) => void): void {
    const member = this.#leastLoaded()
    member.outbox.push({ ...chunk, sequence: this.#expect(member, chunk.length, done) })
    member.outboxBytes += chunk.length
    if (member.outbox.length >= outboxJobs || member.outboxBytes >= outboxBytes) this.#flush(member)
    else this.#flushSoon()
  }

  /** A tree's bytes, which are given away. */
  tree(bytes: Uint8Array<ArrayBuffer>, done: (result: SealResult) => void): void {
    const member = this.#leastLoaded()
    const sequence = this.#expect(member, bytes.length, done)
    member.thread.send({ kind: 'tree', sequence, bytes }, [bytes.buffer])
  }

  flush(): void {
    for (const member of this.#members) this.#flush(member)
  }

  /** Closes the open packs; resolves when all packs were given out. */
  async finish(): Promise<void> {
    this.flush()
    for (const { thread } of this.#members) thread.send({ kind: 'finish' })
    await this.#progress.until(() => this.#members.every((member) => member.finished))
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map(({ thread }) => thread.stop()))
  }

  #expect(member: Member, bytes: number, done: (result: SealResult) => void): number {
    const sequence = this.#next++
    member.load += bytes
    this.#waiting.set(sequence, { member, bytes, done })
    return sequence
  }

  #onReport(member: Member, report: SealReport, onPack: SealPoolOptions['onPack']): void {
    if (this.#progress.failed) return
    if (report.kind === 'sealed') for (const result of report.results) this.#settle(result)
    else if (report.kind === 'pack') {
      onPack(report, () => {
        if (report.buffer.byteLength > 0) member.thread.send({ kind: 'buffer', buffer: report.buffer }, [report.buffer])
      })
    } else member.finished = true
    this.#progress.notify()
  }

  #settle(result: SealResult): void {
    const waiting = this.#waiting.get(result.sequence)
    if (!waiting) return
    this.#waiting.delete(result.sequence)
    waiting.member.load -= waiting.bytes
    if (result.addedBytes > 0) this.#countFresh()
    waiting.done(result)
  }

  /** The set of fresh ids has room for a stream of unknown length by growing in pieces; threads ask all pieces and fill the last. */
  #countFresh(): void {
    this.#freshIds++
    if (this.#freshIds * 2 < this.#freshSlots) return
    this.#freshSlots *= 2
    this.#freshIds = 0
    const { memory } = createIdTable(this.#freshSlots, 0)
    for (const { thread } of this.#members) thread.send({ kind: 'fresh', memory })
  }

  #leastLoaded(): Member {
    return this.#members.reduce((least, member) => (member.load < least.load ? member : least))
  }

  #flush(member: Member): void {
    if (member.outbox.length === 0) return
    member.thread.send({ kind: 'chunks', jobs: member.outbox })
    member.outbox = []
    member.outboxBytes = 0
  }

  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.flush()
    })
  }
}
