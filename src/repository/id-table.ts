/**
 * Ids in shared memory, open addressing, no locks: many threads may ask and insert at once. A slot is `stride` 32-bit words: its state,
 * eight words of id, then whatever the owner adds. A slot is written once and never moves; a table that fills up is replaced by its owner.
 */
export interface IdTable {
  readonly memory: SharedArrayBuffer
  readonly words: Int32Array
  readonly stride: number
  /** Slots − 1; the number of slots is a power of two. */
  readonly mask: number
}

const empty = 0
const writing = 1
const ready = 2
export const idWords = 8
/** Words before what the owner adds. */
export const slotHeadWords = 1 + idWords

export function createIdTable(slots: number, extraWords: number): IdTable {
  const count = 2 ** Math.ceil(Math.log2(Math.max(1024, slots)))
  return openIdTable(new SharedArrayBuffer(count * (slotHeadWords + extraWords) * 4), extraWords)
}

/** Beyond this share of taken slots runs of them get long: at three quarters a new id is compared with eight others. */
export const fullest = 3 / 4

/** The same table in another thread. */
export function openIdTable(memory: SharedArrayBuffer, extraWords: number): IdTable {
  const stride = slotHeadWords + extraWords
  return { memory, words: new Int32Array(memory), stride, mask: memory.byteLength / 4 / stride - 1 }
}

/** A key as the table compares it: data and trees of one content are two things. */
export function idKey(id: Uint8Array, tree: boolean): Int32Array {
  const key = new Int32Array(idWords)
  new Uint8Array(key.buffer).set(id)
  if (tree) key[0] = ~(key[0] ?? 0)
  return key
}

/** Address of the slot's first word, or −1. */
export function findId(table: IdTable, key: Int32Array): number {
  const { words, stride, mask } = table
  let slot = (key[0] ?? 0) & mask
  for (let probes = 0; probes <= mask; probes++) {
    const at = slot * stride
    const state = stateAt(words, at)
    if (state === empty) return -1
    if (sameId(words, at, key)) return at
    slot = (slot + 1) & mask
  }
  return -1
}

/**
 * Inserts unless it is there. `extra` is written before the slot becomes visible. Returns the slot's address and whether it is new; a
 * table that is crowded beyond use answers `new` with address −1: at worst a blob is stored twice, which readers allow.
 */
export function insertId(
  table: IdTable,
  key: Int32Array,
  extra: ArrayLike<number> = [],
): { readonly at: number; readonly added: boolean } {
  const { words, stride, mask } = table
  let slot = (key[0] ?? 0) & mask
  for (let probes = 0; probes < maxProbes; probes++) {
    const at = slot * stride
    if (Atomics.compareExchange(words, at, empty, writing) === empty) {
      words.set(key, at + 1)
      words.set(extra, at + slotHeadWords)
      Atomics.store(words, at, ready)
      return { at, added: true }
    }
    stateAt(words, at)
    if (sameId(words, at, key)) return { at, added: false }
    slot = (slot + 1) & mask
  }
  return { at: -1, added: true }
}

const maxProbes = 4096

/** Waits out another thread's writing, which takes nine stores. */
function stateAt(words: Int32Array, at: number): number {
  let state = Atomics.load(words, at)
  while (state === writing) state = Atomics.load(words, at)
  return state
}

function sameId(words: Int32Array, at: number, key: Int32Array): boolean {
  for (let i = 0; i < idWords; i++) if (words[at + 1 + i] !== key[i]) return false
  return true
}
