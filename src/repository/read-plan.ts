import type { BlobLocation } from './blob-index.ts'
import type { Id } from './format/ids.ts'

export interface WantedBlob extends BlobLocation {
  readonly id: Id
}

/** One request to the store: a stretch of a pack and the wanted blobs in it, by their place in the stretch. */
export interface ReadRun {
  readonly pack: Id
  readonly offset: number
  readonly length: number
  readonly blobs: readonly WantedBlob[]
}

/** Reading what lies between two blobs is cheaper than one more request, up to this. */
const gapBytes = 128 << 10
/** Short enough that several threads have work and the first bytes come soon. */
const runBytes = 4 << 20

/** Few requests for many blobs: neighbours in a pack are read together. Each blob is read once, in whatever order. */
export function planReads(blobs: Iterable<WantedBlob>): ReadRun[] {
  const unique = [...new Map(Array.from(blobs, (blob) => [blob.id, blob])).values()]
  const runs: Array<{ pack: Id; offset: number; length: number; blobs: WantedBlob[] }> = []
  for (const group of Map.groupBy(unique, (blob) => blob.pack).values()) {
    let run: (typeof runs)[number] | undefined
    for (const blob of group.toSorted((a, b) => a.offset - b.offset)) {
      const end = blob.offset + blob.length
      if (run && blob.offset - (run.offset + run.length) <= gapBytes && end - run.offset <= runBytes) {
        run.length = Math.max(run.length, end - run.offset)
        run.blobs.push(blob)
      } else {
        run = { pack: blob.pack, offset: blob.offset, length: blob.length, blobs: [blob] }
        runs.push(run)
      }
    }
  }
  return runs
}
