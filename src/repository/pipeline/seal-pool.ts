import { type IdTable, createIdTable, fullest } from '../id-table.ts'
import { minChunkBytes } from '../kernel/chunker.ts'
import type { Sealer } from '../format/seal.ts'
import type { SealJob, SealReport, SealRequest, SealResult, SealThreadStart } from './messages.ts'
import type { Progress } from './progress.ts'
import { type EngineThread, startThread } from './start-thread.ts'

export type ReadyPack = Extract<SealReport, { readonly kind: 'pack' }>

export interface SealPoolOptions {
  /** At most. The first begins at once, others when sealing is what holds things up. */
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
/** Another thread is worth its memory when one alone is so far behind although the cutting thread hashes for it, */
const anotherThreadBytes = 8 << 20
/** and so much was new, since what is known is only looked up, and in whole chunks: with small files it is the walk that takes the time. */
const anotherThreadNewBytes = 16 << 20
/**
 * Packs fill two or three at a time and a chunk goes to one of them by chance or by the threads' luck, so that the lengths of blobs in a pack do not
 * give away the order of chunks. Buffers are of 17 MiB as a rule; alone, a thread has one more for a second upload.
 */
const packsOf = {
  alone: { filling: 2, buffers: 4 },
  first: { filling: 2, buffers: 3 },
  another: { filling: 1, buffers: 2 },
} as const

/** The sealing threads as one: takes chunks and trees, gives their ids and the packs. */
export class SealPool {
  readonly #members: Member[] = []
  readonly #options: SealPoolOptions
  readonly #start: SealThreadStart
  readonly #waiting = new Map<
    number,
    { readonly member: Member; readonly bytes: number; readonly done: (result: SealResult) => void }
  >()
  readonly #progress: Progress
  #next = 0
  /** Tables of fresh ids; the last is the one that fills. */
  readonly #fresh: SharedArrayBuffer[] = [createIdTable(firstFreshSlots, 0).memory]
  #newBytes = 0
  #freshSlots = firstFreshSlots
  #freshIds = 0
  #flushing = false

  constructor(options: SealPoolOptions) {
    const { threads, sealer, progress } = options
    this.#options = options
    this.#progress = progress
    const { encrypt, macK, macR } = sealer.key
    this.#start = {
      role: 'seal',
      key: new Uint8Array([...encrypt, ...macK, ...macR]),
      version: options.version,
      ring: options.ring,
      known: options.known.memory,
      verifyBlobs: options.verifyBlobs,
      packs: threads === 1 ? packsOf.alone : packsOf.first,
    }
    this.#startMember(this.#start)
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
    const member = this.#nextMember(chunk.length)
    member.outbox.push({ ...chunk, sequence: this.#expect(member, chunk.length, done) })
    member.outboxBytes += chunk.length
    if (member.outbox.length >= outboxJobs || member.outboxBytes >= outboxBytes) this.#flush(member)
    else this.#flushSoon()
  }

  /** A tree's bytes, which are given away. */
  tree(bytes: Uint8Array<ArrayBuffer>, done: (result: SealResult) => void): void {
    const member = this.#nextMember(0)
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
        if (report.buffer instanceof SharedArrayBuffer) member.thread.send({ kind: 'buffer', buffer: report.buffer })
      })
    } else member.finished = true
    this.#progress.notify()
  }

  #settle(result: SealResult): void {
    const waiting = this.#waiting.get(result.sequence)
    if (!waiting) return
    this.#waiting.delete(result.sequence)
    waiting.member.load -= waiting.bytes
    this.#newBytes += result.addedBytes
    if (result.addedBytes > 0) this.#countFresh()
    waiting.done(result)
  }

  /** The set of fresh ids has room for a stream of unknown length by growing in pieces; threads ask all pieces and fill the last. */
  #countFresh(): void {
    this.#freshIds++
    if (this.#freshIds < this.#freshSlots * fullest) return
    this.#freshSlots *= 2
    this.#freshIds = 0
    const { memory } = createIdTable(this.#freshSlots, 0)
    this.#fresh.push(memory)
    for (const { thread } of this.#members) thread.send({ kind: 'fresh', memory })
  }

  #nextMember(bytes: number): Member {
    const least = this.#members.reduce((one, other) => (other.load < one.load ? other : one))
    const isBehind = least.load >= anotherThreadBytes && this.#newBytes >= anotherThreadNewBytes && bytes >= minChunkBytes
    if (!isBehind || this.#members.length >= this.#options.threads) return least
    return this.#startMember({ ...this.#start, packs: packsOf.another })
  }

  #startMember(start: SealThreadStart): Member {
    const thread = startThread<SealRequest, SealReport>(start, (error) => this.#progress.fail(error))
    const member: Member = { thread, load: 0, outbox: [], outboxBytes: 0, finished: false }
    thread.onReport((report) => this.#onReport(member, report, this.#options.onPack))
    for (const memory of this.#fresh) thread.send({ kind: 'fresh', memory })
    this.#members.push(member)
    return member
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
