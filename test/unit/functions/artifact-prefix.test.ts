import { expect, test } from 'vitest'
import { findKeyPrefix, keyPrefixOf, resolveArtifactPrefix } from '../../../src/functions/artifact-prefix.ts'

test.each([
  ['b/x', 'b/x', 'x'],
  ['b', 'b', ''],
  ['x/y', 'b/x/y', 'x/y'],
  ['x//y/../z', 'b/x/z', 'x/z'],
  ['/b/x', 'b/b/x', 'b/x'],
  ['s3://b/x', 'b/s3:/b/x', 's3:/b/x'],
  ['b/x/', 'b/x/', 'x'],
])('with bucket b the prefix %j is the repository %j', (prefix, resolved, key) => {
  expect(resolveArtifactPrefix('b', prefix)).toBe(resolved)
  expect(keyPrefixOf('b', prefix)).toBe(key)
})

test.each(['../other', '../b2/x', 'b/../../x', 'b/..', 'x/../..'])(
  'the prefix %j leads out of the bucket and is refused',
  (prefix) => {
    expect(() => keyPrefixOf('b', prefix)).toThrow(/leads out of bucket "b"/)
    expect(findKeyPrefix('b', prefix)).toBeUndefined()
  },
)
