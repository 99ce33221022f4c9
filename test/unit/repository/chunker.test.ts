import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fc } from '../../build/properties.ts'
import { expect, test } from 'vitest'
import { chunkerTables, degree, isIrreducible, randomPolynomial } from '../../../src/repository/format/polynomial.ts'
import { sha256Hex } from '../../../src/repository/format/ids.ts'
import {
  Cutter,
  type Scan,
  compileChunker,
  createChunkerMemory,
  instantiateChunker,
  tableBytes,
} from '../../../src/repository/kernel/chunker.ts'
import { digestBefore, isCut } from './plain-chunker.ts'
import { chunkerInput, vectors } from './vectors.ts'

const module = compileChunker()

function load(polynomial: bigint, input: Uint8Array): Scan {
  const memory = createChunkerMemory(polynomial, input.length)
  new Uint8Array(memory.buffer).set(input, tableBytes)
  return instantiateChunker(module, memory)
}

test.each(vectors.chunker)(
  'cuts of polynomial $polynomial on "$input" are those of restic',
  ({ polynomial, input, ...expected }) => {
    const bytes = chunkerInput(input)
    const cutter = new Cutter(load(BigInt(`0x${polynomial}`), bytes), tableBytes)

    const lengths = cutter.cut(tableBytes + bytes.length, true)

    expect(sha256Hex(bytes)).toBe(expected.input_sha256)
    expect(lengths).toEqual(expected.chunk_lengths)
    let at = 0
    expect(lengths.map((length) => sha256Hex(bytes.subarray(at, (at += length))))).toEqual(expected.chunk_ids)
  },
)

test('cuts do not depend on the pieces in which input arrives', () => {
  const [vector] = vectors.chunker
  const bytes = chunkerInput(vector?.input ?? '')
  const scan = load(BigInt(`0x${vector?.polynomial}`), bytes)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 3 << 20 }), { maxLength: 40 }), (pieces) => {
      const cutter = new Cutter(scan, tableBytes)
      const lengths: number[] = []
      let end = 0
      for (const piece of pieces) lengths.push(...cutter.cut(tableBytes + (end = Math.min(bytes.length, end + piece)), false))
      lengths.push(...cutter.cut(tableBytes + bytes.length, true))
      expect(lengths).toEqual(vector?.chunk_lengths)
    }),
    { numRuns: 20 },
  )
})

test('the kernel finds the position that the definition finds', () => {
  const polynomial = randomPolynomial()
  // Input made so that cuts are frequent is not to be had for 20 bits; instead every hit of the kernel is checked against the definition, and
  // that nothing before it is one, near the ends of lanes where a slip would hide.
  const bytes = chunkerInput('keystream').subarray(0, 2 << 20)
  const scan = load(polynomial, bytes)
  fc.assert(
    fc.property(fc.integer({ min: 64, max: 1 << 20 }), fc.integer({ min: 0, max: 300_000 }), (from, length) => {
      const hit = scan(tableBytes + from, tableBytes + from + length)
      if (hit !== 0) expect(isCut(bytes, hit - tableBytes, polynomial)).toBe(true)
      const end = hit === 0 ? from + length : hit - tableBytes - 1
      for (let at = Math.max(from, end - 40); at <= end; at++) expect(isCut(bytes, at, polynomial)).toBe(false)
    }),
    { numRuns: 200 },
  )
})

test('zeros are a cut in every polynomial, at the first position looked at', () => {
  const polynomial = randomPolynomial()
  const zeros = new Uint8Array(100_000)

  expect(digestBefore(zeros, 64, polynomial)).toBe(0n)
  expect(load(polynomial, zeros)(tableBytes + 64, tableBytes + 100_000)).toBe(tableBytes + 64)
})

test('lookup tables are those of restic', () => {
  const { mod, out } = chunkerTables(0x266f26c4671791n)
  const expected = vectors.tables_266f26c4671791
  const found = { mod_1: mod[1], mod_255: mod[255], out_1: out[1], out_255: out[255] }

  expect(Object.fromEntries(Object.entries(found).map(([name, value]) => [name, value?.toString(16)]))).toEqual(expected)
})

test('fresh polynomials are irreducible of degree 53, and products are seen through', () => {
  const polynomial = randomPolynomial()

  expect(degree(polynomial)).toBe(53)
  expect(isIrreducible(polynomial)).toBe(true)
  expect(isIrreducible(0x3da3358b4dc173n)).toBe(true)
  expect(isIrreducible(0x3da3358b4dc172n)).toBe(false)
  // (x + 1) times x^52 + 1: an even number of terms always has the factor x + 1.
  expect(isIrreducible((1n << 53n) | (1n << 52n) | 3n)).toBe(false)
})

test('the checked-in kernel is what its source builds to', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-kernel-'))
  try {
    const build = new URL('../../../src/repository/kernel/build.sh', import.meta.url).pathname
    const path = `${new URL('../../../node_modules/.bin', import.meta.url).pathname}:${process.env.PATH}`
    execFileSync('sh', [build, join(folder, 'chunker.wasm')], { env: { ...process.env, PATH: path } })

    expect(readFileSync(join(folder, 'chunker.wasm'))).toEqual(
      readFileSync(new URL('../../../src/repository/kernel/chunker.wasm', import.meta.url)),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})
