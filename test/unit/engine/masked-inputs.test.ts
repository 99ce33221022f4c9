import { expect, test } from 'vitest'
import { maskLive } from '../../../src/engine/masked-inputs.ts'

test.each([
  ['its resource', { apiVersion: 'v1', kind: '', resource: 'secrets' }],
  ['its kind', { apiVersion: 'v1', kind: 'Secret', resource: '' }],
])('the contents of a Secret that is named by %s are not shown', (_how, object) => {
  const password = Buffer.from('do-not-show-me').toString('base64')

  const masked = maskLive({ secrets: {}, object: { kind: 'Secret', data: { password } } }, { name: 'backup', object })

  expect(JSON.stringify(masked)).toContain('password')
  expect(JSON.stringify(masked)).not.toContain(password)
})
