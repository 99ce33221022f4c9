import { afterAll, beforeAll, expect, test } from 'vitest'
import { runChaos } from '../chaos/chaos.ts'
import { ownKinds } from '../chaos/kills.ts'
import { setStage, type Stage } from '../chaos/stage.ts'

let stage: Stage | undefined

beforeAll(async () => {
  stage = await setStage()
}, 15 * 60_000)
afterAll(() => stage?.close())

/** The short form; `npm run chaos` kills more, and more kinds of things. A failure names the seed that plays the same kills. */
test('nine kills of workers and the operator lose nothing and do nothing twice', { timeout: 10 * 60_000 }, async () => {
  const seed = Date.now() % 1_000_000
  const lines: string[] = []

  const result = await runChaos(stage as Stage, { kills: 9, seed, kinds: ownKinds, say: (line) => lines.push(line) })

  expect(result.complaints, `seed ${seed}\n${lines.join('\n')}`).toEqual([])
  expect(result.passed).toBe(9)
})
