import { expect, test } from 'vitest'
import { Freshest } from '../../../src/controllers/runtime/freshest.ts'

const object = (version: number, uid = 'u') => ({
  metadata: { name: 'a', uid, resourceVersion: String(version), creationTimestamp: '' },
})

test('what we wrote counts until the watch shows it or a later one', () => {
  const freshest = new Freshest(() => 0)
  freshest.wrote('k', object(5))
  expect(freshest.pick('k', object(4))).toEqual(object(5))
  expect(freshest.pick('k', undefined)).toEqual(object(5))
  expect(freshest.pick('k', object(6))).toEqual(object(6))
  expect(freshest.pick('k', object(4))).toEqual(object(4))
})

test('what is gone is not remembered for ever, also when the answer to our write comes after the watch said so', () => {
  let now = 0
  const freshest = new Freshest(() => now)
  freshest.seen('k', undefined)
  freshest.wrote('k', object(5))
  now = 61_000
  expect(freshest.pick('k', undefined)).toBeUndefined()
})

test('of two objects that had the same name one after the other the later one counts', () => {
  const freshest = new Freshest(() => 0)
  freshest.read('k', object(9, 'new'), object(5, 'old'))
  freshest.seen('k', object(6, 'old'))
  expect(freshest.pick('k', object(6, 'old'))).toEqual(object(9, 'new'))
  freshest.seen('k', object(9, 'new'))
  expect(freshest.pick('k', object(9, 'new'))).toEqual(object(9, 'new'))
})
