import { compress, decompress } from './format/zstd.ts'

/** A page of entries that are text already, compressed: some 90 bytes a file, where 700 and what V8 leaves lying would stay otherwise. */
export interface FoldedLeaves {
  readonly frame: Buffer
  readonly rawBytes: number
}

/** An entry: its name, a character for each byte, and the JSON of its node. */
export type LeafText = readonly [name: string, json: string]

/** No name of a file holds these, and JSON holds the second as an escape only. */
const afterName = '/'
const between = '\0'

export function foldLeaves(leaves: readonly LeafText[]): FoldedLeaves {
  const raw = Buffer.from(leaves.map(([name, json]) => name + afterName + json).join(between))
  const compressed = compress(raw)
  // Not of Node's pool: a page would keep 64 KiB alive of which the rest was of use for a moment.
  const frame = Buffer.allocUnsafeSlow(compressed.length)
  frame.set(compressed)
  return { frame, rawBytes: raw.length }
}

export function unfoldLeaves(page: FoldedLeaves): LeafText[] {
  return rawOf(page)
    .toString()
    .split(between)
    .map((text) => {
      const end = text.indexOf(afterName)
      return [text.slice(0, end), text.slice(end + 1)]
    })
}

/** The JSON of the newest entry of this name; pages from old to new. Reads pages until it is found: a millisecond for some thousand entries. */
export function findFolded(pages: readonly FoldedLeaves[], name: string): string | undefined {
  const start = Buffer.from(between + name + afterName)
  return pages
    .toReversed()
    .values()
    .map((page) => textOf(Buffer.concat([Buffer.from(between), rawOf(page)]), start))
    .find((json) => json !== undefined)
}

function textOf(raw: Buffer, start: Buffer): string | undefined {
  const at = raw.lastIndexOf(start)
  if (at < 0) return undefined
  const end = raw.indexOf(between, at + start.length)
  return raw.subarray(at + start.length, end < 0 ? raw.length : end).toString()
}

function rawOf({ frame, rawBytes }: FoldedLeaves): Buffer {
  return decompress(frame, rawBytes, 'a page of entries in memory', rawBytes)
}
