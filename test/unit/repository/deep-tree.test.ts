import { expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { renderEnd, renderEntryBlocks } from '../../../src/repository/tar/render-tar.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { quickClock as clock } from './quick-clock.ts'
import { bytesOf } from './streams.ts'

test('a file below three thousand directories is kept, listed and restored', async () => {
  const repository = await initRepository(new MemoryStore(), { clock, keys: [{ workingPassword: 'w' }] })
  const path = Buffer.from(`${'d/'.repeat(3000)}link`)
  const entry = { type: 'symlink', path, linkTarget: Buffer.from('/t'), mode: 0o777, uid: 0, gid: 0, mtime: 0n } as const
  async function* tar(): AsyncGenerator<Uint8Array> {
    yield renderEntryBlocks(entry)
    yield renderEnd()
  }

  const { dirCount } = await repository.backupTar({ tar: tar(), prefixPath: '/' })
  const nodes = await Array.fromAsync(repository.ls({ snapshot: { latest: true } }))
  const restored = await bytesOf(repository.restoreTar({ snapshot: { latest: true } }))

  expect(dirCount).toBe(3000)
  expect(nodes.at(-1)?.path.toString()).toBe(`/${path.toString()}`)
  expect(restored.includes(path)).toBe(true)
})
