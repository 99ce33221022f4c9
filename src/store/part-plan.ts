import { storeError } from './errors.ts'

const MiB = 1024 * 1024

/**
 * How a stream of unknown length is cut into at most 10,000 parts without ever holding much of it.
 *
 * Parts grow with the stream, but only to what fits into memory several times. What is beyond goes through sections: an upload of
 * its own under a temporary key, up to the 5 GiB that S3 copies as one part, which the store then copies into the main upload.
 * So any length up to 5 TiB needs the same memory: 8 MiB × 1,000, 16 × 2,000, 32 × 5,900 = 224 GiB, then 1,100 × 5,120 MiB.
 */
export interface PartPlan {
  /** Steps of growth: `parts` parts of `bytes` each; the last step goes on for ever. */
  readonly steps: ReadonlyArray<{ readonly parts: number; readonly bytes: number }>
  /** Parts sent straight into the main upload before sections begin. */
  readonly directParts: number
  /** Parts (of the last step's size) that make a section. 0: no sections. */
  readonly sectionParts: number
  readonly maxParts: number
  /** Bytes held in part buffers at once. */
  readonly memoryBytes: number
}

export const growingParts: PartPlan = {
  steps: [
    { parts: 1000, bytes: 8 * MiB },
    { parts: 2000, bytes: 16 * MiB },
    { parts: Infinity, bytes: 32 * MiB },
  ],
  directParts: 8900,
  sectionParts: 160,
  maxParts: 10_000,
  memoryBytes: 96 * MiB,
}

/** All parts of one size, as R2 wants them: 312 GiB at most. */
export const equalParts: PartPlan = {
  steps: [{ parts: Infinity, bytes: 32 * MiB }],
  directParts: 10_000,
  sectionParts: 0,
  maxParts: 10_000,
  memoryBytes: 96 * MiB,
}

/** The size of the part with this index (0 is the first) over the whole stream. */
export function partBytes(plan: PartPlan, index: number): number {
  let before = 0
  for (const step of plan.steps) {
    before += step.parts
    if (index < before) return step.bytes
  }
  throw storeError('STORE_TOO_LARGE', `the plan of parts ends before part ${index + 1}`)
}

/** How many buffers of this size may exist: one being filled, the others on their way. */
export function bufferCount(plan: PartPlan, sizeBytes: number): number {
  return Math.min(4, Math.max(2, Math.floor(plan.memoryBytes / sizeBytes)))
}
