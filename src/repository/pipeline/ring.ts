/** A stretch of the ring that is being sealed. */
export interface Region {
  readonly offset: number
  readonly length: number
  done: boolean
}

/**
 * Input lies here from its arrival until its chunk is sealed. Between `base` and `end` run, in this order or wrapped around: regions being sealed,
 * the open part (bytes not cut yet), free space. The open part is contiguous, since the kernel reads it as one: at the end of
 * the ring it is moved to the front.
 */
export class ChunkRing {
  readonly #bytes: Uint8Array
  readonly #base: number
  #end: number
  readonly #regions: Region[] = []
  #open: number
  #write: number

  /** Only `firstBytes` of the memory are used until `extend`: what was never written to takes none. */
  constructor(memory: SharedArrayBuffer, base: number, firstBytes: number) {
    this.#bytes = new Uint8Array(memory)
    this.#base = base
    this.#end = Math.min(base + firstBytes, memory.byteLength)
    this.#open = base
    this.#write = base
  }

  /** From now on all of the memory is used. */
  extend(): void {
    this.#end = this.#bytes.length
  }

  get writeAt(): number {
    return this.#write
  }

  get openBytes(): number {
    return this.#write - this.#open
  }

  get regionCount(): number {
    return this.#regions.length
  }

  /** True when more can only be written after `wrap`. */
  get atEnd(): boolean {
    return this.#write === this.#end
  }

  /** Bytes that can be written now. */
  get room(): number {
    const first = this.#regions[0]?.offset ?? this.#open
    return first <= this.#write ? this.#end - this.#write : first - this.#write - 1
  }

  /** Copies as much of `bytes` as there is room for; returns how much. */
  write(bytes: Uint8Array): number {
    const length = Math.min(this.room, bytes.length)
    this.#bytes.set(length === bytes.length ? bytes : bytes.subarray(0, length), this.#write)
    this.#write += length
    return length
  }

  /** Free memory, up to so many bytes, to be filled from its beginning; then `wrote` says how far. Nothing else may be written meanwhile. */
  space(mostBytes: number): Uint8Array {
    return this.#bytes.subarray(this.#write, this.#write + Math.min(this.room, mostBytes))
  }

  wrote(length: number): void {
    this.#write += length
  }

  /** Moves the open part to the front, if nothing there is in the way. Returns how far it moved, 0 if it could not. Nobody may be reading it. */
  wrap(): number {
    const first = this.#regions[0]?.offset ?? this.#open
    const blocked = this.#regions.length > 0 ? first - this.#base <= this.openBytes : this.#open === this.#base
    if (blocked) return 0
    const delta = this.#base - this.#open
    this.#bytes.copyWithin(this.#base, this.#open, this.#write)
    this.#open += delta
    this.#write += delta
    return delta
  }

  /** The first `length` open bytes become a region. */
  take(length: number): Region {
    const region: Region = { offset: this.#open, length, done: false }
    this.#open += length
    this.#regions.push(region)
    return region
  }

  /** Space comes back in ring order, so a region that is done early waits for those before it. */
  free(region: Region): void {
    region.done = true
    let done = 0
    while (this.#regions[done]?.done) done++
    if (done > 0) this.#regions.splice(0, done)
  }
}
