import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fc } from '../../build/properties.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { ensureCommand } from '../../harness/debian-package.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { bytesOf, pieces } from '../../unit/repository/streams.ts'
import { listTree } from './list-tree.ts'
import { makeOddTree } from './odd-tree.ts'

let base = ''
let repository: Repository

beforeAll(async () => {
  await ensureCommand('busybox')
  base = mkdtempSync(join(tmpdir(), 'holdfast-tar-'))
  repository = await initRepository(new MemoryStore(), { keys: [{ workingPassword: 'w' }] })
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

function aFolder(name: string): Buffer {
  const path = join(base, name)
  mkdirSync(path, { recursive: true })
  return Buffer.from(path)
}

function oddTree(name: string): Buffer {
  return makeOddTree(join(base, name))
}

function tarOf(command: string, args: readonly string[], folder: Buffer): Buffer {
  return execFileSync(command, [...args, '-C', folder.toString(), '-cf', '-', '.'], { maxBuffer: 1 << 30 })
}

function untar(command: string, args: readonly string[], archive: Uint8Array, name: string): Buffer {
  const target = aFolder(name)
  execFileSync(command, [...args, '-C', target.toString(), '-xpf', '-'], { input: archive, stdio: ['pipe', 'pipe', 'pipe'] })
  return target
}

const writers = {
  'GNU tar': ['tar', ['--format=gnu']],
  'GNU tar with holes': ['tar', ['--format=gnu', '--sparse']],
  'GNU tar, pax': ['tar', ['--format=posix']],
  'GNU tar, pax with holes 1.0': ['tar', ['--format=posix', '--sparse']],
  'GNU tar, pax with holes 0.1': ['tar', ['--format=posix', '--sparse', '--sparse-version=0.1']],
  'GNU tar, pax with holes 0.0': ['tar', ['--format=posix', '--sparse', '--sparse-version=0.0']],
  BusyBox: ['busybox', ['tar']],
} as const

describe.each(Object.entries(writers))('a tree archived by %s', (writer, [command, args]) => {
  test.each([
    ['GNU tar', 'tar', []],
    ['BusyBox', 'busybox', ['tar']],
  ] as const)('comes back through %s as it was', async (reader, untarCommand, untarArgs) => {
    const folder = oddTree(`source-${writer}-${reader}`.replaceAll(/\W/g, ''))
    const archive = tarOf(command, args, folder)

    const result = await repository.backupTar({ tar: pieces(archive, 70_001), prefixPath: '/var/lib/data' })
    const restored = await bytesOf(
      repository.restoreTar({ snapshot: { id: result.snapshotId }, path: '/var/lib/data', stripPrefix: '/var/lib/data' }),
    )
    const target = untar(untarCommand, untarArgs, restored, `target-${writer}-${reader}`.replaceAll(/\W/g, ''))

    // Only pax writers know fractions of seconds, and BusyBox reads none.
    const exact = writer.includes('pax') && reader === 'GNU tar'
    const options = { exact, withoutLinkTimes: reader === 'BusyBox' }
    expect(listTree(target, options)).toEqual(listTree(folder, options))
  })
})

test('one file, or one folder with its path, can be restored alone', async () => {
  const folder = oddTree('part')
  const { snapshotId } = await repository.backupTar({ tar: pieces(tarOf('tar', [], folder), 1 << 20), prefixPath: '/a/b' })
  const names = (archive: Buffer): string[] =>
    execFileSync('tar', ['-tf', '-'], { input: archive }).toString().split('\n').filter(Boolean)

  const file = await bytesOf(repository.restoreTar({ snapshot: { id: snapshotId }, path: '/a/b/plain.txt', stripPrefix: '/a' }))
  const part = await bytesOf(repository.restoreTar({ snapshot: { id: snapshotId }, path: '/a/b/sub/deep' }))

  expect(names(file)).toEqual(['b/plain.txt'])
  expect(new Set(names(part))).toEqual(new Set(['a/b/sub/deep/', 'a/b/sub/deep/er/']))
  expect((await bytesOf(repository.restoreStream({ snapshot: { id: snapshotId }, path: '/a/b/plain.txt' }))).toString()).toBe(
    'hello',
  )
  await expect(bytesOf(repository.restoreTar({ snapshot: { id: snapshotId }, path: '/a/c' }))).rejects.toMatchObject({
    code: 'REPOSITORY_PATH_NOT_FOUND',
  })
})

test('a tar that is cut off anywhere, or damaged, is refused and leaves no snapshot', async () => {
  const folder = oddTree('cut')
  const archive = tarOf('tar', ['--sparse'], folder)
  // GNU tar pads to 10 KiB with zeros; what must be there is the entries and one block of zeros.
  const content = archive.length - 512 * zeroBlocksAtEnd(archive)
  const before = (await repository.snapshots()).length

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: content }), async (length) => {
      await expect(
        repository.backupTar({ tar: pieces(archive.subarray(0, length), 1 << 20), prefixPath: '/cut' }),
      ).rejects.toMatchObject({ code: 'REPOSITORY_BAD_TAR' })
    }),
    { numRuns: 10 },
  )
  const damaged = Buffer.from(archive)
  damaged[10] = 0x7a
  await expect(repository.backupTar({ tar: pieces(damaged, 1 << 20), prefixPath: '/cut' })).rejects.toThrow(
    /no valid header at byte 0/,
  )
  await expect(repository.backupTar({ tar: pieces(Buffer.alloc(0), 1), prefixPath: '/cut' })).rejects.toMatchObject({
    code: 'REPOSITORY_EMPTY_STREAM',
  })
  await expect(repository.backupTar({ tar: pieces(Buffer.alloc(10_240), 512), prefixPath: '/cut' })).rejects.toMatchObject({
    code: 'REPOSITORY_EMPTY_STREAM',
  })
  expect(await repository.snapshots()).toHaveLength(before)
})

test('many small files make few packs, and their trees are found again', async () => {
  const folder = aFolder('many')
  for (let i = 0; i < 3000; i++) {
    const sub = `${folder.toString()}/d${i % 50}`
    if (i < 50) mkdirSync(sub)
    writeFileSync(`${sub}/f${i}`, `file ${i}`)
  }

  const result = await repository.backupTar({ tar: pieces(tarOf('tar', [], folder), 65_536), prefixPath: '/many' })
  const restored = untar(
    'tar',
    [],
    await bytesOf(repository.restoreTar({ snapshot: { id: result.snapshotId }, path: '/many', stripPrefix: '/many' })),
    'many-back',
  )

  expect(result).toMatchObject({ fileCount: 3000, dirCount: 51 })
  expect(listTree(restored, { exact: false })).toEqual(listTree(folder, { exact: false }))
  expect(await repository.snapshotStats({ id: result.snapshotId })).toMatchObject({ fileCount: 3000, dirCount: 51 })
})

function zeroBlocksAtEnd(archive: Buffer): number {
  let blocks = 0
  while (archive.subarray(archive.length - 512 * (blocks + 1), archive.length - 512 * blocks).every((byte) => byte === 0))
    blocks++
  return blocks
}
