import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { packKey } from './files.ts'
import { type Id, shortId } from './format/ids.ts'
import { type BlobType, type PackedBlob, rawLength } from './format/pack-header.ts'
import { type SealedParts, nonceBytes, tagBytes } from './format/seal.ts'
import { OpenPool } from './pipeline/open-pool.ts'
import { PackBuilder, dataPackBytes } from './pipeline/pack-builder.ts'
import type { StoredPack } from './pipeline/pack-upload.ts'
import { type ReadRun, planReads } from './read-plan.ts'

export interface RepackRequest {
  /** Packs and the blobs of each that move. */
  readonly packs: ReadonlyMap<Id, readonly PackedBlob[]>
  /** A new pack is in the store. */
  readonly onPack: (pack: StoredPack) => void
  readonly signal: AbortSignal
}

/** Read and checked ahead of what is being written: two stretches of 4 MiB as a rule. */
const runsAhead = 2
/** Blobs are opened in batches of this many raw bytes: a stretch that compressed well would be large as a whole. */
const openBytes = 8 << 20

/**
 * Copies blobs to new packs. Each is opened and its hash checked on the way, but moved as it is sealed: what is sealed does not depend on its place, and
 * compressing it again would give the same. Returns how many were copied.
 */
export async function repack(context: RepositoryContext, { packs, onPack, signal }: RepackRequest): Promise<number> {
  const pool = new OpenPool(context.sealer, context.threads.open)
  const writer = new PackWriter(context, onPack, signal)
  let copied = 0
  try {
    for await (const { type, run, bytes } of readAhead(runsOf(packs), (part) => readChecked(context, pool, part, signal))) {
      for (const blob of run.blobs) {
        const at = blob.offset - run.offset
        await writer.add(type, blob, Buffer.from(bytes.buffer, bytes.byteOffset + at, blob.length))
        copied++
      }
    }
    await writer.finish()
    return copied
  } finally {
    await pool.stop()
  }
}

interface Part {
  readonly type: BlobType
  readonly run: ReadRun
}

/** By kind, since a file may have the very bytes of a tree and so its id. */
function* runsOf(packs: RepackRequest['packs']): Generator<Part> {
  for (const [pack, blobs] of packs) {
    for (const type of ['data', 'tree'] as const) {
      const wanted = blobs.filter((blob) => blob.type === type).map((blob) => ({ ...blob, pack }))
      for (const run of planReads(wanted)) yield { type, run }
    }
  }
}

async function* readAhead<T, R>(items: Iterable<T>, read: (item: T) => Promise<R>): AsyncGenerator<R> {
  const ahead: Array<Promise<R>> = []
  for (const item of items) {
    const reading = read(item)
    // Whoever leaves early does not wait for the rest.
    reading.catch(() => undefined)
    ahead.push(reading)
    if (ahead.length > runsAhead) yield await (ahead.shift() as Promise<R>)
  }
  for (const reading of ahead) yield await reading
}

async function readChecked(
  { store }: RepositoryContext,
  pool: OpenPool,
  { type, run }: Part,
  signal: AbortSignal,
): Promise<Part & { readonly bytes: Uint8Array }> {
  const { pack, offset, length } = run
  const bytes = await store.get(packKey(pack), { offset, length, limitBytes: length, signal })
  if (bytes.length !== length)
    throw repositoryError('REPOSITORY_DAMAGED', `pack ${shortId(pack)} is shorter than its index says`)
  for (const batch of batchesOf(run)) {
    const start = (batch[0]?.offset ?? offset) - offset
    const end = Math.max(...batch.map((blob) => blob.offset + blob.length)) - offset
    const wanted = batch.map((blob) => ({
      id: blob.id,
      offset: blob.offset - offset - start,
      length: blob.length,
      uncompressedLength: blob.uncompressedLength,
    }))
    // A copy, which is given away.
    await pool.open(new Uint8Array(bytes.subarray(start, end)), wanted)
  }
  return { type, run, bytes }
}

function* batchesOf({ blobs }: ReadRun): Generator<ReadRun['blobs']> {
  let from = 0
  let size = 0
  for (const [at, blob] of blobs.entries()) {
    size += rawLength(blob)
    if (size < openBytes && at < blobs.length - 1) continue
    yield blobs.slice(from, at + 1)
    from = at + 1
    size = 0
  }
}

/** Fills one pack of each kind; a full one is in the store before more is taken. */
export class PackWriter {
  readonly #context: RepositoryContext
  readonly #onPack: RepackRequest['onPack']
  readonly #signal: AbortSignal
  readonly #open = new Map<BlobType, PackBuilder>()
  #spare: ArrayBufferLike | undefined

  constructor(context: RepositoryContext, onPack: RepackRequest['onPack'], signal: AbortSignal) {
    this.#context = context
    this.#onPack = onPack
    this.#signal = signal
  }

  async add(
    type: BlobType,
    { id, uncompressedLength }: Pick<PackedBlob, 'id' | 'uncompressedLength'>,
    sealed: Buffer,
  ): Promise<void> {
    const parts = {
      nonce: sealed.subarray(0, nonceBytes),
      ciphertext: sealed.subarray(nonceBytes, sealed.length - tagBytes),
      tag: sealed.subarray(sealed.length - tagBytes),
    }
    await this.addParts(type, { id, uncompressedLength }, parts)
  }

  async addParts(
    type: BlobType,
    { id, uncompressedLength }: Pick<PackedBlob, 'id' | 'uncompressedLength'>,
    parts: SealedParts,
  ): Promise<void> {
    const pack = this.#open.get(type) ?? new PackBuilder(type, this.#buffer())
    this.#open.set(type, pack)
    pack.append(Buffer.from(id, 'hex'), parts, uncompressedLength)
    if (pack.isFull) await this.#close(pack)
  }

  async finish(): Promise<void> {
    for (const pack of this.#open.values()) await this.#close(pack)
  }

  #buffer(): ArrayBufferLike {
    const spare = this.#spare ?? new ArrayBuffer(dataPackBytes)
    this.#spare = undefined
    return spare
  }

  async #close(pack: PackBuilder): Promise<void> {
    this.#open.delete(pack.type)
    const { id, buffer, sizeBytes, header } = pack.build(this.#context.sealer)
    await this.#context.store.put(packKey(id), new Uint8Array(buffer, 0, sizeBytes), { sha256: id, signal: this.#signal })
    this.#spare = buffer
    this.#onPack({ id, sizeBytes, header })
  }
}
