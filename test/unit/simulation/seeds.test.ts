import { describe, expect, test } from 'vitest'
import { simulate } from '../../simulation/simulate.ts'

/** Enough for every kind of fault to come up some times; `npm run simulate` runs as many as one has time for. */
const slice = Array.from({ length: 40 }, (_, index) => 1_000_000 + index)

/** Seeds on which something was wrong once. What they play changes with the engine, so each defect has a test of its own too. */
const found = [
  5, 7, 20, 29, 32, 33, 35, 49, 57, 113, 130, 207, 350, 384, 396, 676, 768, 846, 1_141, 1_263, 1_338, 1_415, 1_440, 1_466,
  1_917, 2_036, 2_158, 2_612, 2_751, 1_941, 2_910, 501_474, 2_005_913, 2_007_834, 3_010_198, 5_002_486, 6_003_891, 7_015_416,
  8_018_197, 8_022_282, 8_034_083, 8_040_387,
]

describe('the engine on seeds', () => {
  test('keeps its promises on a slice of them', { timeout: 120_000 }, async () => {
    expect(await complaintsOf(slice)).toEqual([])
  })

  test('keeps its promises on those that found something', { timeout: 120_000 }, async () => {
    expect(await complaintsOf(found)).toEqual([])
  })

  test('does the same on the same seed', async () => {
    const first = await simulate(found[0] ?? 0, { traced: true })
    const second = await simulate(found[0] ?? 0, { traced: true })

    expect(second.trace).toEqual(first.trace)
    expect(second.fingerprint).toBe(first.fingerprint)
  })
})

async function complaintsOf(seeds: readonly number[]): Promise<string[]> {
  const all: string[] = []
  for (const seed of seeds) {
    const { complaints } = await simulate(seed)
    all.push(...complaints.map((complaint) => `seed ${seed}: ${complaint}`))
  }
  return all
}
