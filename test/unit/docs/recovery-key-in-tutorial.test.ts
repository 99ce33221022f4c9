import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { derivePassword } from '../../../src/repository/keys/recovery-key.ts'

const tutorial = readFileSync(resolve(import.meta.dirname, '../../../docs/tutorial.md'), 'utf8')

test('the password of a repository is the one that openssl derives, as the tutorial says', () => {
  const key = `hfr1-${'0123456789abcdef'.repeat(4)}`

  expect(derivePassword(key, 'fedcba9876543210'.repeat(4))).toBe(
    'd5182b7da141ca53fe1a52bb5513645790fbb03c2b0d23ba8568eb1353502980',
  )
  expect(tutorial).toContain("info:'holdfast repository password v1' HKDF")
})

test('the tutorial reads the recovery key from the field that the engine writes', () => {
  const keeper = readFileSync(resolve(import.meta.dirname, '../../../src/functions/repository-keys.ts'), 'utf8')

  expect(keeper).toContain("recoveryKeySecret, 'recoveryKey'")
  expect(tutorial).toContain("holdfast-recovery-key -o jsonpath='{.data.recoveryKey}'")
})
