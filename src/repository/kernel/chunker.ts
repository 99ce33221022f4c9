import { readFileSync } from 'node:fs'
import { type Polynomial, chunkerTables } from '../format/polynomial.ts'

export const minChunkBytes = 512 << 10
export const maxChunkBytes = 8 << 20
/** The first bytes of a chunker's memory hold its tables; data begins here. */
export const tableBytes = 65_536

const modAt = 1024
const out2At = 3072

/** Compiles the kernel. Modules may be handed to threads. Beside the bundle its file keeps the name chunker.wasm. */
export function compileChunker(): WebAssembly.Module {
  return new WebAssembly.Module(readFileSync(new URL('./chunker.wasm', import.meta.url)))
}

/** Shared memory for `dataBytes` of input, with the tables of `polynomial` in front. */
export function createChunkerMemory(polynomial: Polynomial, dataBytes: number): WebAssembly.Memory {
  const pages = Math.ceil((tableBytes + dataBytes) / 65_536)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 32_768, shared: true })
  const { mod, out2 } = chunkerTables(polynomial)
  new BigUint64Array(memory.buffer, modAt, 256).set(mod)
  new BigUint64Array(memory.buffer, out2At, 256).set(out2)
  return memory
}

/** Positions are addresses in the memory; see `scan` in chunker.as.ts. */
export type Scan = (from: number, to: number) => number

export function instantiateChunker(module: WebAssembly.Module, memory: WebAssembly.Memory): Scan {
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  // The kernel's one export; its source is beside this file.
  return instance.exports.scan as Scan
}

/** Cuts one stream that lies in chunker memory and grows. Positions move along when the open part is moved within the memory. */
export class Cutter {
  readonly #scan: Scan
  #start: number
  /** The next position that may be a cut. */
  #candidate: number

  constructor(scan: Scan, start: number) {
    this.#scan = scan
    this.#start = start
    this.#candidate = start + minChunkBytes
  }

  /** Lengths of the chunks that are complete when bytes up to `end` are there. Looks at short pieces only when `last` is set. */
  cut(end: number, last: boolean): number[] {
    const lengths: number[] = []
    for (;;) {
      const length = this.#next(end, last)
      if (length === 0) return lengths
      lengths.push(length)
      this.#start += length
      this.#candidate = this.#start + minChunkBytes
    }
  }

  moved(delta: number): void {
    this.#start += delta
    this.#candidate += delta
  }

  #next(end: number, last: boolean): number {
    const longest = this.#start + maxChunkBytes
    const limit = Math.min(longest, end)
    const worthLooking = limit - this.#candidate >= shortScanBytes || limit === longest || last
    if (limit >= this.#candidate && worthLooking) {
      const cut = this.#scan(this.#candidate, limit)
      if (cut !== 0) return cut - this.#start
      if (limit === longest) return maxChunkBytes
      this.#candidate = limit + 1
    }
    return last ? end - this.#start : 0
  }
}

/** Four lanes need 32 KiB at a time; what is shorter would go through the slow single lane. */
const shortScanBytes = 131_072
