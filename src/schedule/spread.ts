import { stableHash } from './stable-hash.ts'

/** So many starts at most within the time, so that whoever starts a thousand objects looks and writes that often and not a thousand times. */
const mostSteps = 180

/**
 * How long after the slot an object starts, in ms, in whole seconds, less than `spreadMs`: the same for ever for the same seed, so that
 * five hundred objects of two o'clock start evenly over the time they are given, and each keeps its minute over restarts.
 */
export function spreadDelay(seed: string, spreadMs: number): number {
  const stepMs = Math.max(1, Math.ceil(spreadMs / mostSteps / 1_000)) * 1_000
  const steps = Math.floor(spreadMs / stepMs)
  return steps < 1 ? 0 : stableHash([seed, 'spread'], steps) * stepMs
}
