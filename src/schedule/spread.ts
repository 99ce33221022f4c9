import { stableHash } from './stable-hash.ts'

/**
 * How long after the slot an object starts, in ms, in whole seconds, less than `spreadMs`: the same for ever for the same seed, so that
 * five hundred schedules of two o'clock start evenly over the time they are given, and each keeps its minute over restarts.
 */
export function spreadDelay(seed: string, spreadMs: number): number {
  const seconds = Math.floor(spreadMs / 1_000)
  return seconds < 1 ? 0 : stableHash([seed, 'spread'], seconds) * 1_000
}
