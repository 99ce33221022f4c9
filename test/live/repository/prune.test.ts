import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { FolderStore } from '../../harness/folder-store.ts'
import { type ResticRepository, ensureRestic, restic } from '../../harness/restic.ts'
import { bytesOf, pieces } from '../../unit/repository/streams.ts'

let folder = ''
let theirs: ResticRepository

beforeAll(ensureRestic)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-prune-'))
  theirs = { at: folder, password: 'w' }
})

afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function keep(repository: Repository, input: Buffer): Promise<string> {
  return (await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'dump' })).snapshotId
}

test('the real restic finds nothing wrong after a prune, nothing left to prune, and every byte', async () => {
  const repository = await initRepository(new FolderStore(folder), { keys: [{ workingPassword: 'w' }] })
  const [a, b, c] = [randomBytes(20 << 20), Buffer.alloc(18 << 20, 'some text, '), randomBytes(9 << 20)]
  const gone = await keep(repository, Buffer.concat([a, b]))
  const kept = Buffer.concat([b, a.subarray(0, 7 << 20), c])
  const stays = await keep(repository, kept)
  await repository.forgetSnapshot(gone)

  const { bytesFreed } = await repository.prune({ maxUnusedPercent: 0 })

  expect(bytesFreed).toBeGreaterThan(8 << 20)
  expect(restic(theirs, ['check', '--read-data']).toString()).toContain('no errors were found')
  expect(restic(theirs, ['dump', stays, '/dump']).equals(kept)).toBe(true)
  expect(restic(theirs, ['prune', '--max-unused', '0', '--dry-run']).toString()).toMatch(/to delete:\s+0 blobs/)
  expect((await bytesOf(repository.restoreStream({ snapshot: { id: stays } }))).equals(kept)).toBe(true)
})

test('what restic wrote is pruned too, and its packs that are mixed or small are joined', async () => {
  restic(theirs, ['init', '-q'])
  const inputs = Array.from({ length: 11 }, () => randomBytes(300_000))
  for (const input of inputs) restic(theirs, ['backup', '-q', '--stdin', '--stdin-filename', 'dump'], { input })
  const repository = await openRepository(new FolderStore(folder), { passwords: ['w'] })
  const [first] = await repository.snapshots()
  await repository.forgetSnapshot(first?.id ?? '')

  const result = await repository.prune({ maxUnusedPercent: 0 })

  expect(result).toMatchObject({ packsWritten: 2, bytesUnused: 0 })
  expect(restic(theirs, ['check', '--read-data']).toString()).toContain('no errors were found')
  for (const [at, snapshot] of (await repository.snapshots()).entries())
    expect(restic(theirs, ['dump', snapshot.id, '/dump']).equals(inputs[at + 1] ?? Buffer.alloc(0))).toBe(true)
})
