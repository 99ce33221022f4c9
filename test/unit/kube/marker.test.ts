import { fc } from '../../build/properties.ts'
import { describe, expect, it } from 'vitest'
import { MarkerScanner } from '../../../src/kube/exec/marker.ts'

const nonce = 'abcabcabcabcabcabcabcabcabcabcab'

function scan(chunks: readonly Buffer[]): { readonly scanner: MarkerScanner; readonly output: Buffer } {
  const scanner = new MarkerScanner(nonce)
  const output: Buffer[] = []
  for (const chunk of chunks) {
    const part = scanner.push(chunk)
    if (part) output.push(part)
  }
  return { scanner, output: Buffer.concat(output) }
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
}

describe('the marker scanner', () => {
  it('takes the words out of any output, however it is cut', () => {
    // Output made of the letters of the nonce, so that false beginnings abound.
    const output = fc.array(fc.constantFrom('a', 'b', 'c', 'ab', 'abc', nonce.slice(0, 31), ';', '=', '\n', '\0'), {
      maxLength: 60,
    })
    fc.assert(
      fc.property(output, fc.integer({ min: 0, max: 255 }), fc.array(fc.nat(3_000), { maxLength: 20 }), (parts, code, cuts) => {
        const body = parts.join('')
        fc.pre(!`${body}${nonce}`.slice(0, -1).includes(nonce))
        const bytes = Buffer.from(`${nonce}+123o;${body}${nonce}=${code};`, 'latin1')

        const { scanner, output: found } = scan(cutAt(bytes, cuts))

        expect(found.toString('latin1')).toBe(body)
        expect(scanner).toMatchObject({ header: { pid: 123, mode: 'o' }, exitCode: code, lateBytes: 0, broken: false })
      }),
    )
  })

  it('holds back no more than a marker could need', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 50 }), (chunks) => {
        const scanner = new MarkerScanner(nonce)
        scanner.push(Buffer.from(`${nonce}+1o;`))
        let sent = 0
        let got = 0
        for (const chunk of chunks) {
          sent += chunk.length
          got += scanner.push(Buffer.from(chunk))?.length ?? 0
          expect(sent - got).toBeLessThan(nonce.length)
        }
      }),
    )
  })

  it('notices when somebody else is talking', () => {
    expect(scan([Buffer.from('bash: warning')]).scanner.broken).toBe(true)
    expect(scan([Buffer.from(`${nonce}?`.padEnd(100, 'x'))]).scanner.broken).toBe(true)
    expect(scan([Buffer.from(`${nonce}+1o;x${nonce}oops;`)]).scanner.broken).toBe(true)
  })
})
