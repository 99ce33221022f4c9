import { randomBytes } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { createRecoveryKey, derivePassword } from '../../../src/repository/keys/recovery-key.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { FolderStore } from '../../harness/folder-store.ts'
import { type ResticRepository, ensureRestic, restic } from '../../harness/restic.ts'
import { bytesOf, pieces } from '../../unit/repository/streams.ts'
import { listTree } from './list-tree.ts'
import { makeOddTree } from './odd-tree.ts'

let base = ''

beforeAll(async () => {
  await ensureRestic()
  base = mkdtempSync(join(tmpdir(), 'holdfast-restic-'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

function aFolder(name: string): string {
  const path = join(base, name)
  mkdirSync(path, { recursive: true })
  return path
}

/** Text, noise and zeros. */
function mixed(): Buffer {
  const text = Buffer.from(Array.from({ length: 200_000 }, (_, i) => `row ${i} of the table\n`).join(''))
  return Buffer.concat([randomBytes(12 << 20), text, Buffer.alloc(4 << 20), randomBytes(5 << 20)])
}

describe('the real restic reads what we write', () => {
  const recoveryKey = createRecoveryKey()
  const input = mixed()
  let repository: Awaited<ReturnType<typeof initRepository>>
  let at: ResticRepository
  let source = ''
  let streamId = ''
  let treeId = ''

  beforeAll(async () => {
    const folder = aFolder('ours')
    at = { at: folder, password: 'the working one' }
    repository = await initRepository(new FolderStore(folder), { keys: [{ workingPassword: at.password }, { recoveryKey }] })
    source = join(base, 'source')
    makeOddTree(source, { rawLinks: false })
    const archive = execFileSync('tar', ['--format=posix', '--sparse', '-C', source, '-cf', '-', '.'], { maxBuffer: 1 << 30 })
    streamId = (
      await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'db/dump.sql', tags: ['a', 'b'], host: 'db-0' })
    ).snapshotId
    treeId = (await repository.backupTar({ tar: pieces(archive, 1 << 20), prefixPath: '/var/lib/odd' })).snapshotId
  })

  test('check --read-data finds nothing', () => {
    expect(restic(at, ['check', '--read-data']).toString()).toContain('no errors were found')
  })

  test('snapshots and ls show what is there', () => {
    const snapshots = JSON.parse(restic(at, ['snapshots', '--json']).toString()) as Array<Record<string, unknown>>

    expect(new Set(snapshots.map((snapshot) => snapshot.id))).toEqual(new Set([streamId, treeId]))
    expect(snapshots.find((snapshot) => snapshot.id === streamId)).toMatchObject({
      paths: ['/db/dump.sql'],
      hostname: 'db-0',
      tags: ['a', 'b'],
    })
    expect(restic(at, ['ls', streamId]).toString()).toContain('/db/dump.sql')
  })

  test('dump gives the stream', () => {
    expect(restic(at, ['dump', streamId, '/db/dump.sql']).equals(input)).toBe(true)
  })

  test('restore gives the tree as it was, holes, links, names and all', () => {
    const target = aFolder('restored')

    restic(at, ['restore', treeId, '--target', target])

    expect(listTree(Buffer.from(`${target}/var/lib/odd`), { exact: true })).toEqual(
      listTree(Buffer.from(source), { exact: true }),
    )
  })

  test('its own backup of the same bytes finds every chunk there already', async () => {
    const before = (await repository.stats()).rawBytes

    restic(at, ['backup', '--stdin', '--stdin-filename', 'db/dump.sql'], { input })

    // A tree and nothing else.
    expect((await repository.stats()).rawBytes - before).toBeLessThan(10_000)
  })

  test('forget with prune leaves a sound repository, and we go on in it', async () => {
    restic(at, ['forget', streamId, '--prune', '--max-unused', '0'])

    expect(restic(at, ['check', '--read-data']).toString()).toContain('no errors were found')
    expect((await repository.check({ readData: true })).findings).toEqual([])
    const { snapshotId } = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'again' })
    expect((await bytesOf(repository.restoreStream({ snapshot: { id: snapshotId } }))).equals(input)).toBe(true)
    expect(restic(at, ['check', '--read-data']).toString()).toContain('no errors were found')
  })

  test('the password derived of the recovery key opens it too', async () => {
    const password = derivePassword(recoveryKey, repository.id)

    expect(restic({ ...at, password }, ['cat', 'config']).toString()).toContain(repository.id)
    const reopened = await openRepository(new FolderStore(at.at), { recoveryKey })
    expect(reopened.id).toBe(repository.id)
    await expect(
      openRepository(new FolderStore(at.at), { recoveryKey: createRecoveryKey(), passwords: ['wrong'] }),
    ).rejects.toMatchObject({ code: 'REPOSITORY_WRONG_KEY' })
  })

  test('our lock keeps its prune out', async () => {
    const own = new AbortController()
    const started = Promise.withResolvers<void>()
    async function* stalling(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('x')
      started.resolve()
      await new Promise(() => undefined)
    }
    const backup = repository
      .backupStream({ stream: stalling(), filename: 'f', signal: own.signal })
      .catch((error: unknown) => error)
    await started.promise

    expect(() => restic(at, ['prune'])).toThrow(/already locked/)
    own.abort(new Error('enough'))
    expect(await backup).toBe(own.signal.reason)
    expect(restic(at, ['list', 'locks']).toString()).toBe('')
  })
})

describe.each([['1'], ['2']])('what the real restic wrote, format version %s', (version) => {
  const input = mixed()
  let at: ResticRepository
  let source = ''

  beforeAll(() => {
    at = { at: aFolder(`theirs-${version}`), password: 'correct-horse' }
    source = join(base, `their-source-${version}`)
    makeOddTree(source, { rawLinks: false })
    restic(at, ['init', '--repository-version', version])
    restic(at, ['backup', '--tag', 'tree', source])
    restic(at, ['backup', '--stdin', '--stdin-filename', 'dump', '--tag', 'stream'], { input })
  })

  test('we restore, tree and stream', async () => {
    const repository = await openRepository(new FolderStore(at.at), { passwords: ['wrong', at.password] })
    const target = aFolder(`their-restored-${version}`)

    const archive = await bytesOf(repository.restoreTar({ snapshot: { tag: 'tree' }, path: source, stripPrefix: source }))
    execFileSync('tar', ['-C', target, '-xpf', '-'], { input: archive })

    expect(listTree(Buffer.from(target), { exact: true })).toEqual(listTree(Buffer.from(source), { exact: true }))
    expect((await bytesOf(repository.restoreStream({ snapshot: { tag: 'stream' }, path: '/dump' }))).equals(input)).toBe(true)
    expect((await repository.check({ readData: true })).findings).toEqual([])
  })

  test('we back up into, adding no chunk that is there, and it reads the result', async () => {
    const repository = await openRepository(new FolderStore(at.at), { passwords: [at.password] })

    const result = await repository.backupStream({ stream: pieces(input, 1 << 20), filename: 'ours' })

    expect(result.dataBlobs).toBe(0)
    expect(restic(at, ['dump', result.snapshotId, '/ours']).equals(input)).toBe(true)
    expect(restic(at, ['check', '--read-data']).toString()).toContain('no errors were found')
  })
})
