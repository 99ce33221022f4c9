import { beforeEach, describe, expect, test } from 'vitest'
import { locationDelete } from '../../../src/functions/location-delete.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aFunctionContext, runFunction } from '../../build/function-context.ts'

const keys = ['pre/a', 'pre/a.holdfast/manifest', 'pre/a/1', 'pre/a/b/2', 'pre/ab', 'pre/ab/1', 'a', 'pre/bucket/x', 'other/a']
let store: MemoryStore

beforeEach(async () => {
  store = new MemoryStore()
  for (const key of keys) await store.put(key, Buffer.from('x'))
})

async function remaining(): Promise<string[]> {
  const found: string[] = []
  for await (const { key } of store.list('')) found.push(key)
  return found.sort()
}

async function deleteArtifact(artifact: string, prefix = 'pre'): Promise<void> {
  const location = { type: 's3Compliant', bucket: 'bucket', endpoint: '', prefix, region: '', caBundle: '', checksums: '' }
  const profile = { location, credential: { type: 'keyPair' }, skipSslVerify: false }
  const { ctx } = aFunctionContext({ kube: new FakeApi().kube(), profile, store })
  expect(await runFunction(locationDelete, ctx, { artifact })).toBeUndefined()
}

describe('LocationDelete', () => {
  test.each(['a', 'a/', '/a', 'bucket/a', 's3://bucket/a'])(
    '%j takes the object, what is below it, and no neighbour',
    async (artifact) => {
      await deleteArtifact(artifact)

      const left = await remaining()
      expect(left).not.toContain('pre/a')
      expect(left).not.toContain('pre/a/1')
      expect(left).not.toContain('pre/a/b/2')
      expect(left).toEqual(expect.arrayContaining(['pre/ab', 'pre/ab/1', 'a', 'other/a', 'pre/bucket/x']))
    },
  )

  test('what is not there was deleted before', async () => {
    await deleteArtifact('nope')

    expect(await remaining()).toHaveLength(keys.length)
  })

  test.each(['', ' ', '/', 'bucket', 'bucket/', 's3://bucket', 's3://bucket/', '..', 'a/..', '../other', '.'])(
    '%j is refused: it names the location or what is beside it',
    async (artifact) => {
      await expect(deleteArtifact(artifact)).rejects.toThrow(/refusing to delete/)
      if (!artifact.includes('other')) await expect(deleteArtifact(artifact, '')).rejects.toThrow(/refusing to delete/)

      expect(await remaining()).toHaveLength(keys.length)
    },
  )

  test('a path that only begins like the bucket is a path', async () => {
    await store.put('pre/bucketful', Buffer.from('x'))

    await deleteArtifact('bucketful')

    expect(await remaining()).toHaveLength(keys.length)
  })
})
