import { expect, test } from 'vitest'
import { createRecoveryKey, derivePassword, recoveryKeyFingerprint } from '../../../src/repository/keys/recovery-key.ts'

const key = `hfr1-${'0123456789abcdef'.repeat(4)}`
const id = '25e2e54f81dda50e42d828d2506afc04f711baf8a9e7a45e9c8ccaa4933049c2'

// These two lines are a promise: a key exported today must open its repositories in ten years.
test('the password of a repository follows from the recovery key and the repository id', () => {
  expect(derivePassword(key, id)).toBe('7ffbdc6a5aee66d846d0c610edc02b3ebbb127cb152a9d5bc8db88c09662f9b6')
  expect(recoveryKeyFingerprint(key)).toBe('e5af7a18')
})

test('two keys and two repositories have different passwords', () => {
  const other = createRecoveryKey()

  expect(derivePassword(other, id)).not.toBe(derivePassword(key, id))
  expect(derivePassword(key, id.replace('2', '3'))).not.toBe(derivePassword(key, id))
})

test('a malformed key is refused without being printed', () => {
  expect(() => derivePassword('hfr1-secret', id)).toThrow(/malformed/)
  expect(() => derivePassword('hfr1-secret', id)).not.toThrow(/secret/)
})
