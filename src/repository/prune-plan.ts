import type { Id } from './format/ids.ts'

/** One pack that is in an index, and what of it is needed. Bytes are of sealed blobs. */
export interface PackUsage {
  readonly id: Id
  readonly usedBytes: number
  readonly unusedBytes: number
  readonly usedBlobs: number
  readonly hasData: boolean
  readonly hasTrees: boolean
}

export interface PrunePlan {
  /** Nothing of it is needed. */
  readonly drop: readonly Id[]
  /** What is needed of it moves to new packs. */
  readonly rewrite: readonly Id[]
  /** Unneeded bytes that stay, since moving their neighbours would cost more than they are worth. */
  readonly unusedBytesLeft: number
}

/** A pack below this is worth joining with others, once there are as many of its kind. */
const smallPackBytes = 3 << 20
const smallPacks = 10

/** What to remove so that at most `maxUnusedPercent` of the needed bytes are unneeded ones. The most wasteful packs go first. */
export function planPrune(packs: readonly PackUsage[], maxUnusedPercent: number): PrunePlan {
  const drop = packs.filter((pack) => pack.usedBlobs === 0)
  const needed = packs.filter((pack) => pack.usedBlobs > 0)
  const rewrite = new Set(needed.filter((pack) => pack.hasData && pack.hasTrees).concat(manySmall(needed)))
  const limit = (needed.reduce((sum, pack) => sum + pack.usedBytes, 0) * maxUnusedPercent) / 100
  const wasteful = needed.filter((pack) => pack.unusedBytes > 0 && !rewrite.has(pack)).toSorted(byWaste)
  let unusedBytesLeft = wasteful.reduce((sum, pack) => sum + pack.unusedBytes, 0)
  for (const pack of wasteful) {
    if (unusedBytesLeft <= limit) break
    rewrite.add(pack)
    unusedBytesLeft -= pack.unusedBytes
  }
  return { drop: idsOf(drop), rewrite: idsOf([...rewrite]), unusedBytesLeft }
}

/** Each backup ends with packs that are not full; so many of them make listing and reading slow. */
function manySmall(packs: readonly PackUsage[]): PackUsage[] {
  const small = packs.filter((pack) => pack.usedBytes + pack.unusedBytes < smallPackBytes)
  const [trees, data] = [small.filter((pack) => pack.hasTrees), small.filter((pack) => !pack.hasTrees)]
  return [trees, data].filter((kind) => kind.length >= smallPacks).flat()
}

function byWaste(a: PackUsage, b: PackUsage): number {
  return b.unusedBytes / b.usedBytes - a.unusedBytes / a.usedBytes
}

function idsOf(packs: readonly PackUsage[]): Id[] {
  return packs.map(({ id }) => id)
}
