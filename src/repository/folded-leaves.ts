import { compress, decompress, release } from './format/zstd.ts'

/** A page of entries that are text already, compressed: some 50 bytes a file, where 700 and what V8 leaves lying would stay otherwise. */
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
  const raw = rawOf(page)
  const text = raw.toString()
  release(Buffer.from(raw.buffer))
  return text.split(between).map((entry) => {
    const end = entry.indexOf(afterName)
    return [entry.slice(0, end), entry.slice(end + 1)]
  })
}

/** The newest page of each name; pages from old to new. */
export function pagesByName(pages: readonly FoldedLeaves[]): Map<string, FoldedLeaves> {
  const found = new Map<string, FoldedLeaves>()
  // Copied: a slice of a page's text would keep all of it.
  for (const page of pages)
    for (const [name] of unfoldLeaves(page)) found.set(Buffer.from(name, 'latin1').toString('latin1'), page)
  return found
}

/** The JSON of the entry of this name; names in a page differ. */
export function findFolded(page: FoldedLeaves, name: string): string | undefined {
  const raw = rawOf(page)
  const first = Buffer.from(name + afterName)
  if (raw.subarray(0, first.length).equals(first)) return textAt(raw, first.length)
  const other = Buffer.from(between + name + afterName)
  const at = raw.indexOf(other)
  return at < 0 ? undefined : textAt(raw, at + other.length)
}

function textAt(raw: Buffer, start: number): string {
  const end = raw.indexOf(between, start)
  return raw.toString('utf8', start, end < 0 ? raw.length : end)
}

/** In memory of its own, never of Node's pool. */
function rawOf({ frame, rawBytes }: FoldedLeaves): Buffer<ArrayBuffer> {
  return decompress(frame, rawBytes, 'a page of entries in memory', Math.max(rawBytes, 65_536))
}
