import { fc } from '../../build/properties.ts'
import { expect, test } from 'vitest'
import { ChunkRing, type Region } from '../../../src/repository/pipeline/ring.ts'

const base = 100
const [firstBytes, allBytes] = [800, 3000]
/** The open part of a small file and of a large one, at most. */
const mostOpen = { small: 64, large: 1000 }

const aStep = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('write'), length: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('take'), length: fc.integer({ min: 1, max: 300 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('free'), length: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('next'), length: fc.nat(1) }) },
)

test('bytes stay as they are until they are freed, in any order, also where the ring grows while it is wrapped around', () => {
  fc.assert(
    fc.property(fc.array(aStep, { minLength: 100, maxLength: 600 }), (steps) => {
      const memory = new Uint8Array(new SharedArrayBuffer(base + allBytes))
      const ring = new ChunkRing(memory.buffer, base, firstBytes)
      const regions: Array<{ readonly region: Region; readonly from: number }> = []
      let [written, taken, most] = [0, 0, mostOpen.small]
      const byteAt = (place: number): number => ((place * 31) >>> 2) & 255
      const expectBytes = (at: number, length: number, from: number): void =>
        expect([...memory.subarray(at, at + length)]).toEqual(Array.from({ length }, (_, i) => byteAt(from + i)))
      const free = (which: number): void => {
        const [freed] = regions.splice(which % regions.length, 1)
        if (!freed) return
        expectBytes(freed.region.offset, freed.region.length, freed.from)
        ring.free(freed.region)
      }

      for (const { kind, length } of steps) {
        if (kind === 'write') {
          if (ring.atEnd) ring.wrap()
          const more = Math.min(length, most - ring.openBytes)
          written += ring.write(Uint8Array.from({ length: more }, (_, i) => byteAt(written + i)))
        } else if (kind === 'take' && ring.openBytes > 0) {
          const region = ring.take(most === mostOpen.small ? ring.openBytes : Math.min(length, ring.openBytes))
          regions.push({ region, from: taken })
          taken += region.length
        } else if (kind === 'free' && regions.length > 0) free(length)
        else if (kind === 'next' && ring.openBytes === 0) {
          most = length === 0 ? mostOpen.small : mostOpen.large
          if (length === 1) ring.extend()
        }
        expectBytes(ring.writeAt - ring.openBytes, ring.openBytes, taken)
      }

      while (regions.length > 0) free(0)
      if (ring.atEnd) ring.wrap()
      expect(ring.room).toBeGreaterThan(0)
    }),
    { numRuns: 60 },
  )
})
