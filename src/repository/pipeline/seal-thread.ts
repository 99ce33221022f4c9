import type { MessagePort } from 'node:worker_threads'
import { indexExtraWords } from '../blob-index.ts'
import { repositoryError } from '../errors.ts'
import { sha256 } from '../format/ids.ts'
import { type Sealer, createSealer, sealingKeyFromBytes } from '../format/seal.ts'
import { type Compressor, createCompressor, decompress, release } from '../format/zstd.ts'
import { type IdTable, findId, idKey, insertId, openIdTable } from '../id-table.ts'
import { maxChunkBytes } from '../kernel/chunker.ts'
import type { SealReport, SealRequest, SealResult, SealThreadStart } from './messages.ts'
import { OpenPacks } from './open-packs.ts'

/** Results wait for company until they stand for this many bytes: a message costs some 20 µs. */
const reportEveryBytes = 256 << 10

/**
 * Hash, look up, compress, encrypt, pack: everything after the cut. Reads chunks where they lie in the ring and copies once, into the pack. Takes
 * requests in order; waits where no pack buffer is free, which is how a slow store slows down the source.
 */
export function runSealThread(port: MessagePort, start: SealThreadStart): void {
  const report = (message: SealReport, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer)
  const sealer = createSealer(sealingKeyFromBytes(start.key))
  const blobs = new BlobSealer(sealer, start)
  const packs = new OpenPacks(sealer, start.packs, (pack) => {
    const header = new Uint8Array(pack.header)
    const own = pack.buffer instanceof ArrayBuffer ? [pack.buffer] : []
    report({ kind: 'pack', ...pack, header }, [header.buffer, ...own])
  })
  const ring = new Uint8Array(start.ring)
  const queue: SealRequest[] = []
  let running = false

  async function sealOne(sequence: number, raw: Uint8Array, tree: boolean, known?: Uint8Array): Promise<SealResult> {
    const id = known ? Buffer.from(known) : sha256(raw)
    const hex = id.toString('hex')
    if (!blobs.isNew(id, tree)) return { sequence, id: hex, addedBytes: 0, addedPackedBytes: 0 }
    const { parts, uncompressedLength } = blobs.seal(id, raw)
    const pack = await packs.open(tree ? 'tree' : 'data', parts.ciphertext.length)
    const addedPackedBytes = pack.append(id, parts, uncompressedLength)
    release(parts.ciphertext)
    packs.closeIfFull(pack)
    return { sequence, id: hex, addedBytes: raw.length, addedPackedBytes }
  }

  async function handle(request: SealRequest): Promise<void> {
    if (request.kind === 'fresh') blobs.addFresh(request.memory)
    else if (request.kind === 'tree') {
      report({ kind: 'sealed', results: [await sealOne(request.sequence, request.bytes, true)] })
      // They were given away to here, and V8 would let some 20 MiB of them lie.
      request.bytes.buffer.transfer(0)
    } else if (request.kind === 'chunks') {
      let results: SealResult[] = []
      let bytes = 0
      for (const { sequence, offset, length, id } of request.jobs) {
        results.push(await sealOne(sequence, ring.subarray(offset, offset + length), false, id))
        bytes += length
        if (bytes < reportEveryBytes) continue
        report({ kind: 'sealed', results })
        results = []
        bytes = 0
      }
      if (results.length > 0) report({ kind: 'sealed', results })
    } else if (request.kind === 'finish') {
      packs.closeAll()
      report({ kind: 'finished' })
    }
  }

  async function run(): Promise<void> {
    running = true
    for (let request = queue.shift(); request; request = queue.shift()) await handle(request)
    running = false
  }

  port.on('message', (request: SealRequest) => {
    // Not queued: whoever is at work may be waiting for it.
    if (request.kind === 'buffer') return packs.giveBack(request.buffer)
    queue.push(request)
    // A rejection here is an error of the thread, which ends the backup.
    if (!running) void run()
  })
}

/** What makes a blob of raw bytes: whether it is new, and its sealed form. */
class BlobSealer {
  readonly #sealer: Sealer
  readonly #known: IdTable
  readonly #fresh: IdTable[] = []
  readonly #compress: Compressor | undefined
  readonly #verifying: boolean

  constructor(sealer: Sealer, start: SealThreadStart) {
    this.#sealer = sealer
    this.#known = openIdTable(start.known, indexExtraWords)
    this.#compress = start.version >= 2 ? createCompressor(maxChunkBytes) : undefined
    this.#verifying = start.verifyBlobs
  }

  addFresh(memory: SharedArrayBuffer): void {
    this.#fresh.push(openIdTable(memory, 0))
  }

  isNew(id: Uint8Array, tree: boolean): boolean {
    const key = idKey(id, tree)
    if (findId(this.#known, key) >= 0) return false
    const last = this.#fresh.length - 1
    for (let i = 0; i < last; i++) if (findId(this.#fresh[i] as IdTable, key) >= 0) return false
    return insertId(this.#fresh[last] as IdTable, key).added
  }

  seal(id: Buffer, raw: Uint8Array): { parts: ReturnType<Sealer['sealParts']>; uncompressedLength: number | undefined } {
    const compressed = raw.length > 0 ? this.#compress?.(raw) : undefined
    const smaller = compressed !== undefined && compressed.length < raw.length
    const parts = this.#sealer.sealParts(smaller ? compressed : raw)
    const uncompressedLength = smaller ? raw.length : undefined
    if (this.#verifying) this.#verify(id, parts, uncompressedLength)
    return { parts, uncompressedLength }
  }

  /** As restic does since 0.17: a bit that flipped in memory or in a library must not become a backup. */
  #verify(
    id: Buffer,
    { nonce, ciphertext, tag }: ReturnType<Sealer['sealParts']>,
    uncompressedLength: number | undefined,
  ): void {
    const what = `blob ${id.toString('hex')} just sealed`
    const plain = this.#sealer.open(Buffer.concat([nonce, ciphertext, tag]), what)
    const raw = uncompressedLength === undefined ? plain : decompress(plain, uncompressedLength, what, uncompressedLength)
    if (!sha256(raw).equals(id))
      throw repositoryError('REPOSITORY_DAMAGED', `${what}: does not open to what it was; suspect the memory of this machine`)
    release(plain)
    release(raw)
  }
}
