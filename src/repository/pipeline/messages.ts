import type { BlobType } from '../format/pack-header.ts'
import type { Id } from '../format/ids.ts'
import type { PackRoom } from './open-packs.ts'

/**
 * What the engine's threads and the main thread say to each other. Bytes never travel in messages: they lie in shared memory, or their
 * ArrayBuffer is transferred.
 */

/** Start data of a thread. `role` picks what it runs (thread.ts). */
export type ThreadStart = CutThreadStart | SealThreadStart | OpenThreadStart

export interface CutThreadStart {
  readonly role: 'cut'
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
}

/** Positions are addresses in the ring's memory. */
export type CutRequest =
  | { readonly kind: 'begin'; readonly at: number; readonly hash: boolean }
  /** Bytes up to `to` are there. `help`: the sealing threads are behind, so hash the chunks for them. */
  | { readonly kind: 'filled'; readonly to: number; readonly help: boolean }
  /** The open chunk was moved within the memory. */
  | { readonly kind: 'moved'; readonly delta: number }
  | { readonly kind: 'end' }

export interface CutReport {
  readonly lengths: readonly number[]
  /** SHA-256 of the chunks, one after the other, where help was asked for. */
  readonly ids?: Uint8Array
  /** Every request is answered once, in order. */
  readonly ended: boolean
  /** Of everything since `begin`, where asked for. */
  readonly sha256?: string
}

export interface SealThreadStart {
  readonly role: 'seal'
  readonly key: SealingKeyBytes
  readonly version: number
  readonly ring: SharedArrayBuffer
  /** The blob index as of the start: read only. */
  readonly known: SharedArrayBuffer
  readonly verifyBlobs: boolean
  readonly packs: PackRoom
}

/** encrypt ‖ k ‖ r. */
export type SealingKeyBytes = Uint8Array

export interface SealJob {
  readonly sequence: number
  readonly offset: number
  readonly length: number
  /** Where the cutting thread hashed it already. */
  readonly id?: Uint8Array | undefined
}

export type SealRequest =
  | { readonly kind: 'chunks'; readonly jobs: readonly SealJob[] }
  | { readonly kind: 'tree'; readonly sequence: number; readonly bytes: Uint8Array<ArrayBuffer> }
  /** One more table of fresh ids, which fills from now on; the first comes before all chunks. */
  | { readonly kind: 'fresh'; readonly memory: SharedArrayBuffer }
  /** A pack buffer comes back after its upload. */
  | { readonly kind: 'buffer'; readonly buffer: SharedArrayBuffer }
  | { readonly kind: 'finish' }

export interface SealResult {
  readonly sequence: number
  readonly id: Id
  /** Plain and sealed bytes of a blob that was not known; 0 for one that was. */
  readonly addedBytes: number
  readonly addedPackedBytes: number
}

export type SealReport =
  | { readonly kind: 'sealed'; readonly results: readonly SealResult[] }
  | {
      readonly kind: 'pack'
      readonly id: Id
      readonly type: BlobType
      readonly buffer: ArrayBufferLike
      readonly sizeBytes: number
      /** Plain header: what the pack holds. */
      readonly header: Uint8Array
    }
  /** No open pack is left; packs reported before may still be on their way. */
  | { readonly kind: 'finished' }

export interface OpenThreadStart {
  readonly role: 'open'
  readonly key: SealingKeyBytes
}

/** A stretch of one pack, read from the store, and the blobs in it that are wanted. */
export interface OpenRequest {
  readonly sequence: number
  readonly bytes: Uint8Array
  readonly blobs: ReadonlyArray<{
    readonly id: Id
    /** Within `bytes`. */
    readonly offset: number
    readonly length: number
    readonly uncompressedLength?: number | undefined
  }>
}

export type OpenReport =
  | { readonly sequence: number; readonly blobs: readonly Uint8Array[] }
  | { readonly sequence: number; readonly damaged: string }
