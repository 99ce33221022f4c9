import { repositoryError } from '../errors.ts'
import { openBlob } from '../format/blob.ts'
import type { Sealer } from '../format/seal.ts'
import type { OpenReport, OpenRequest, OpenThreadStart } from './messages.ts'
import { Progress } from './progress.ts'
import { type EngineThread, startThread } from './start-thread.ts'

interface Member {
  readonly thread: EngineThread<OpenRequest, OpenReport>
  load: number
}

/** What is shorter is opened here and now while no thread runs: starting one takes longer. */
const inlineBytes = 256 << 10

/** The opening threads as one; started with the first request that is worth it. */
export class OpenPool {
  readonly #sealer: Sealer
  readonly #size: number
  readonly #progress = new Progress()
  #members: Member[] = []
  readonly #waiting = new Map<number, (report: OpenReport) => void>()
  #next = 0

  constructor(sealer: Sealer, size: number) {
    this.#sealer = sealer
    this.#size = size
  }

  /** Raw blobs, checked. The sealed bytes are given away. */
  async open(bytes: Uint8Array, blobs: OpenRequest['blobs']): Promise<readonly Uint8Array[]> {
    this.#progress.check()
    if (this.#members.length === 0 && bytes.length < inlineBytes) {
      return blobs.map((blob) => openBlob(this.#sealer, bytes.subarray(blob.offset, blob.offset + blob.length), blob))
    }
    const member = this.#started().reduce((least, other) => (other.load < least.load ? other : least))
    const sequence = this.#next++
    member.load += bytes.length
    return new Promise((resolve, reject) => {
      const forget = this.#progress.onFailure(reject)
      this.#waiting.set(sequence, (report) => {
        forget()
        member.load -= bytes.length
        if ('damaged' in report) reject(repositoryError('REPOSITORY_DAMAGED', report.damaged))
        else resolve(report.blobs)
      })
      member.thread.send({ sequence, bytes, blobs }, ownMemory(bytes))
    })
  }

  async stop(): Promise<void> {
    this.#progress.fail(new Error('the reader was closed'))
    await Promise.all(this.#members.map(({ thread }) => thread.stop()))
  }

  #started(): Member[] {
    if (this.#members.length > 0) return this.#members
    const { encrypt, macK, macR } = this.#sealer.key
    const start: OpenThreadStart = { role: 'open', key: new Uint8Array([...encrypt, ...macK, ...macR]) }
    this.#members = Array.from({ length: this.#size }, () => {
      const thread = startThread<OpenRequest, OpenReport>(start, (error) => this.#progress.fail(error))
      thread.onReport((report) => {
        const settle = this.#waiting.get(report.sequence)
        this.#waiting.delete(report.sequence)
        settle?.(report)
      })
      return { thread, load: 0 }
    })
    return this.#members
  }
}

/** Bytes that lie in a larger buffer must be copied: others may live there. */
function ownMemory({ buffer, byteLength }: Uint8Array): ArrayBuffer[] {
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}
