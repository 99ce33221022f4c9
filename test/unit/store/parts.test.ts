import { fc } from '../../build/properties.ts'
import { describe, expect, test } from 'vitest'
import { bufferCount, equalParts, growingParts, partBytes } from '../../../src/store/part-plan.ts'
import { Parts } from '../../../src/store/parts.ts'
import { chunksOf, cut, patterned } from '../../conformance/object-store.ts'

const MiB = 1024 * 1024

describe('the plan of parts', () => {
  test('reaches 5 TiB in at most 10,000 parts with at most 96 MiB in buffers', () => {
    const { directParts, sectionParts, maxParts, memoryBytes } = growingParts
    let direct = 0
    for (let index = 0; index < directParts; index++) {
      const size = partBytes(growingParts, index)
      expect(size * bufferCount(growingParts, size)).toBeLessThanOrEqual(memoryBytes)
      direct += size
    }
    const section = sectionParts * partBytes(growingParts, directParts)

    expect(section).toBeLessThanOrEqual(5 * 1024 * MiB)
    expect(direct + (maxParts - directParts) * section).toBeGreaterThanOrEqual(5 * MiB * MiB)
  })

  test('has an equal form', () => {
    expect(partBytes(equalParts, 0)).toBe(partBytes(equalParts, 9_999))
  })
})

describe('cutting a stream into parts', () => {
  const plan = {
    ...growingParts,
    steps: [
      { parts: 2, bytes: 10 },
      { parts: 3, bytes: 20 },
      { parts: Infinity, bytes: 50 },
    ],
  }

  test('gives every byte once, in order, in the sizes planned, and knows the last part', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(500), fc.array(fc.nat(70), { minLength: 1 }), async (length, sizes) => {
        const body = patterned(length)
        const parts = new Parts(chunksOf(cut(body, [...sizes, 1])), plan, new AbortController().signal)
        const got: Buffer[] = []
        do {
          const part = await parts.next()
          got.push(Buffer.from(part.bytes))
          part.release()
        } while (!parts.ended)

        expect(Buffer.concat(got).equals(body)).toBe(true)
        got.slice(0, -1).forEach((part, index) => expect(part.length).toBe(partBytes(plan, index)))
        if (got.length > 1) expect(got.at(-1)).not.toHaveLength(0)
      }),
    )
  })

  test('reads no further than there are buffers', async () => {
    let read = 0
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      for (;;) {
        read++
        yield Buffer.alloc(10)
      }
    }
    const parts = new Parts(endless(), { ...plan, steps: [{ parts: Infinity, bytes: 10 }] }, new AbortController().signal)
    const held = [await parts.next(), await parts.next(), await parts.next(), await parts.next()]
    const fifth = parts.next()
    let came = false
    void fifth.then(() => (came = true))
    await new Promise((resolve) => setImmediate(resolve))

    expect(came).toBe(false)
    expect(read).toBe(5)
    held[0]?.release()
    expect((await fifth).bytes).toHaveLength(10)
    parts.cancel()
  })
})
