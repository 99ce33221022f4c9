import { randomBytes } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fc } from '../../build/properties.ts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { FolderStore } from '../../harness/folder-store.ts'
import { type ResticRepository, ensureRestic, restic } from '../../harness/restic.ts'
import { dyingStore } from '../../unit/repository/dying-store.ts'
import { listTree } from './list-tree.ts'
import { makeOddTree } from './odd-tree.ts'

const MiB = 1 << 20

let base = ''
let theirs: ResticRepository
let repository: Repository

beforeAll(async () => {
  await ensureRestic()
  base = mkdtempSync(join(tmpdir(), 'holdfast-folder-'))
  theirs = { at: aFolder('repository'), password: 'w' }
  repository = await initRepository(new FolderStore(theirs.at), { keys: [{ workingPassword: 'w' }] })
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

function aFolder(name: string): string {
  const path = join(base, name)
  mkdirSync(path, { recursive: true })
  return path
}

function oddTree(name: string): string {
  return makeOddTree(join(base, name), { rawLinks: false }).toString()
}

/** Without fractions below a microsecond, which Node cannot set. */
function listed(folder: string, exact = false): string[] {
  return listTree(Buffer.from(folder), { exact })
}

describe('a folder with everything that is odd about files', () => {
  test('backed up here and restored by restic is as it was', async () => {
    const source = oddTree('odd-1')
    const { snapshotId, unreadable } = await repository.backupFolder({ paths: [source], tags: ['odd'] })

    const target = aFolder('odd-1-restored')
    restic(theirs, ['restore', snapshotId, '--target', target])

    expect(unreadable).toEqual([])
    expect(listed(join(target, source), true)).toEqual(listed(source, true))
    expect(restic(theirs, ['check', '--read-data']).toString()).toContain('no errors were found')
    // restic finds its parent in it, and nothing that changed.
    const again = restic(theirs, ['backup', '--json', source]).toString().trim().split('\n').at(-1) ?? ''
    expect(JSON.parse(again)).toMatchObject({ files_new: 0, files_changed: 0, data_blobs: 0 })
  })

  test('backed up by restic and restored here is as it was', async () => {
    const source = oddTree('odd-2')
    restic(theirs, ['backup', '-q', '--host', 'elsewhere', source])
    const [snapshot] = await repository.snapshots({ filter: { hosts: ['elsewhere'] } })

    const target = aFolder('odd-2-restored')
    await repository.restoreFolder({ snapshot: { id: snapshot?.id ?? '' }, target, sparse: true })

    expect(listed(join(target, source))).toEqual(listed(source))
    expect(statSync(join(target, source, 'sparse')).blocks * 512).toBeLessThan(6 * MiB)
  })

  test('restored by path lands in the target itself, and by pattern with its whole path', async () => {
    const source = oddTree('odd-3')
    const { snapshotId } = await repository.backupFolder({ paths: [source] })
    const [byPath, byPattern] = [aFolder('odd-3-path'), aFolder('odd-3-pattern')]

    await repository.restoreFolder({ snapshot: { id: snapshotId }, path: join(source, 'sub'), target: byPath })
    await repository.restoreFolder({ snapshot: { id: snapshotId }, include: ['plain.*'], target: byPattern })

    expect(listed(byPath).slice(1)).toEqual(
      listed(join(source, 'sub'))
        .slice(1)
        .map((line) => line.replace('same as none before', '').replace(/same as .*/, '')),
    )
    expect(listed(byPattern).filter((line) => line.includes('plain.txt'))).toHaveLength(1)
    expect(listed(byPattern).some((line) => line.includes('big'))).toBe(false)
  })
})

describe('an incremental backup', () => {
  test('reads only what changed, and is the same as a whole one', async () => {
    const source = aFolder('incremental')
    for (let at = 0; at < 40; at++) writeFileSync(join(source, `f${at}`), randomBytes(20_000))
    writeFileSync(join(source, 'big'), randomBytes(4 * MiB))
    const first = await repository.backupFolder({ paths: [source] })
    appendFileSync(join(source, 'f7'), 'more')
    writeFileSync(join(source, 'new'), 'new')
    renameSync(join(source, 'f8'), join(source, 'f8-renamed'))

    const second = await repository.backupFolder({ paths: [source] })
    const whole = await repository.backupFolder({ paths: [source], parent: 'none' })

    expect(second).toMatchObject({ parent: first.snapshotId, filesNew: 2, filesChanged: 1, filesUnmodified: 39 })
    expect(second.addedBytes).toBeLessThan(60_000)
    // Not the trees: the folders above are in them, and others write there.
    const listing = (id: string): string => restic(theirs, ['ls', '-l', id, source]).toString().split('\n').slice(1).join('\n')
    expect(listing(whole.snapshotId)).toBe(listing(second.snapshotId))
    expect(restic(theirs, ['check']).toString()).toContain('no errors were found')
  })

  test('a file whose content changed behind an unchanged size and time is found by its ctime', async () => {
    const source = aFolder('sly')
    const file = join(source, 'f')
    writeFileSync(file, 'aaaa')
    utimesSync(file, 1000, 1000)
    await repository.backupFolder({ paths: [source] })
    writeFileSync(file, 'bbbb')
    utimesSync(file, 1000, 1000)

    const { snapshotId, filesChanged } = await repository.backupFolder({ paths: [source] })

    expect(filesChanged).toBe(1)
    expect(restic(theirs, ['dump', snapshotId, file]).toString()).toBe('bbbb')
  })

  test('excludes leave out what they name, and a path that is not there is said', async () => {
    const source = oddTree('excluded')
    const warnings: string[] = []

    const result = await repository.backupFolder({
      paths: [source, join(base, 'is-not-there')],
      excludes: ['*.txt', join(source, 'sub')],
      onWarning: (warning) => warnings.push(warning),
    })
    const paths = await Array.fromAsync(repository.ls({ snapshot: { id: result.snapshotId } }), ({ path }) => path.toString())

    expect(result.unreadable).toEqual([`${join(base, 'is-not-there')}: ENOENT`])
    expect(warnings).toHaveLength(1)
    expect(paths.some((path) => path.includes('/sub') || path.endsWith('plain.txt'))).toBe(false)
    expect(paths).toContain(join(source, 'big'))
  })
})

describe('a restore into a folder that has something in it', () => {
  test('keeps what is right, mends what is not, blob by blob, and does not follow links out of its target', async () => {
    const source = aFolder('mend')
    mkdirSync(join(source, 'd'))
    const big = randomBytes(20 * MiB)
    writeFileSync(join(source, 'big'), big)
    writeFileSync(join(source, 'd/f'), 'f')
    for (let at = 0; at < 10; at++) writeFileSync(join(source, `f${at}`), randomBytes(10_000))
    const { snapshotId } = await repository.backupFolder({ paths: [source] })
    const target = aFolder('mend-restored')
    const request = { snapshot: { id: snapshotId }, path: source, target }
    await repository.restoreFolder(request)
    const outside = aFolder('outside')
    rmSync(join(target, 'd'), { recursive: true })
    symlinkSync(outside, join(target, 'd'))
    truncateSync(join(target, 'big'), 15 * MiB)
    writeFileSync(join(target, 'f1'), 'wrong')
    chmodSync(join(target, 'f2'), 0)

    const mended = await repository.restoreFolder(request)
    const again = await repository.restoreFolder(request)

    expect(mended).toMatchObject({ filesWritten: 3, filesKept: 9 })
    expect(mended.bytesKept).toBeGreaterThan(6 * MiB)
    expect(mended.bytesWritten).toBeLessThan(14 * MiB)
    expect(readFileSync(join(target, 'big')).equals(big)).toBe(true)
    expect(readFileSync(join(target, 'd/f'), 'utf8')).toBe('f')
    expect(listed(outside)).toHaveLength(1)
    expect(again).toMatchObject({ filesWritten: 0, bytesWritten: 0, filesKept: 12 })
  })
})

test('any tree, backed up by a process that is killed and one that goes on, comes back through restic', async () => {
  const file = fc.record({ name: fc.stringMatching(/^[a-zé'"\\ ]{1,12}$/), size: fc.nat(300_000), text: fc.boolean() })
  let count = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ folder: fc.constantFrom('', 'a', 'a/b', 'c c'), file }), { maxLength: 12 }),
      fc.nat(6),
      async (files, writes) => {
        const source = aFolder(`random-${++count}`)
        for (const {
          folder,
          file: { name, size, text },
        } of files) {
          mkdirSync(join(source, folder), { recursive: true })
          writeFileSync(join(source, folder, `f-${name}`), text ? 't'.repeat(size) : randomBytes(size))
        }
        const store = new FolderStore(theirs.at)
        const victim = await openRepository(dyingStore(store, writes), { passwords: ['w'] })
        await victim.backupFolder({ paths: [source] }).catch(() => undefined)
        await repository.unlock({ all: true })

        const { snapshotId } = await repository.backupFolder({ paths: [source] })
        const [byRestic, byUs] = [aFolder(`random-${count}-theirs`), aFolder(`random-${count}-ours`)]
        restic(theirs, ['restore', snapshotId, '--target', byRestic])
        await repository.restoreFolder({ snapshot: { id: snapshotId }, target: byUs })

        expect(listed(join(byRestic, source))).toEqual(listed(source))
        expect(listed(join(byUs, source))).toEqual(listed(source))
      },
    ),
    { numRuns: 5 },
  )
})
