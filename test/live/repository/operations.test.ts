import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { diffLetter } from '../../../src/repository/diff-snapshots.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { FolderStore } from '../../harness/folder-store.ts'
import { type ResticRepository, ensureRestic, restic } from '../../harness/restic.ts'
import { bytesOf, pieces } from '../../unit/repository/streams.ts'

const MiB = 1 << 20

let base = ''

beforeAll(async () => {
  await ensureRestic()
  base = mkdtempSync(join(tmpdir(), 'holdfast-operations-'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

function aFolder(): string {
  return mkdtempSync(join(base, 'f-'))
}

async function aRepository(): Promise<{ folder: string; theirs: ResticRepository; repository: Repository }> {
  const folder = aFolder()
  const repository = await initRepository(new FolderStore(folder), { keys: [{ encryptionKey: 'w' }] })
  return { folder, theirs: { at: folder, password: 'w' }, repository }
}

async function keep(repository: Repository, bytes: Buffer, tags: readonly string[] = []): Promise<string> {
  return (await repository.backupStream({ stream: pieces(bytes, MiB), filename: 'f', tags })).snapshotId
}

function jsonLines(output: Buffer): Array<Record<string, unknown>> {
  return output
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

function sound(theirs: ResticRepository): void {
  expect(restic(theirs, ['check', '--read-data']).toString()).toContain('no errors were found')
}

describe('ls, find and diff say what the real restic says', () => {
  let theirs: ResticRepository
  let repository: Repository
  let first = ''
  let second = ''

  beforeAll(async () => {
    ;({ theirs, repository } = await aRepository())
    const source = aFolder()
    mkdirSync(join(source, 'a/b'), { recursive: true })
    writeFileSync(join(source, 'a/b/x.log'), 'x')
    writeFileSync(join(source, 'a/big'), randomBytes(2 * MiB))
    writeFileSync(join(source, 'stays'), 's')
    restic(theirs, ['backup', '-q', '.'], { cwd: source })
    writeFileSync(join(source, 'a/b/new & odd'), 'n')
    writeFileSync(join(source, 'stays'), 'changed')
    rmSync(join(source, 'a/big'))
    restic(theirs, ['backup', '-q', '.'], { cwd: source })
    ;[first, second] = (await repository.snapshots()).map(({ id }) => id) as [string, string]
  })

  test('ls', async () => {
    const ours = await Array.fromAsync(repository.ls({ snapshot: { id: second } }), ({ path }) => path.toString())

    const paths = jsonLines(restic(theirs, ['ls', '--json', second])).flatMap(({ path }) => path ?? [])
    expect(ours.toSorted()).toEqual(paths.map(String).toSorted())
  })

  test('find', async () => {
    const found = await Array.fromAsync(repository.find({ patterns: ['*.LOG'], ignoreCase: true }), ({ path, snapshot }) =>
      [snapshot.id, path.toString()].join(' '),
    )

    const said = JSON.parse(restic(theirs, ['find', '-i', '--json', '*.LOG']).toString()) as Array<{
      snapshot: string
      matches: Array<{ path: string }>
    }>
    expect(found.toSorted()).toEqual(
      said.flatMap(({ snapshot, matches }) => matches.map(({ path }) => `${snapshot} ${path}`)).toSorted(),
    )
  })

  test('diff', async () => {
    const ours = await Array.fromAsync(
      repository.diff({ from: { id: first }, to: { id: second } }),
      ({ kind, path }) => `${diffLetter(kind)} ${path.toString()}`,
    )

    const said = restic(theirs, ['diff', first, second]).toString().split('\n')
    const changes = said.filter((line) => /^[+\-MTU]\s+\//.test(line)).map((line) => line.replace(/\s+/, ' '))
    expect(ours.toSorted()).toEqual(changes.map((line) => line.replace(/\/$/, '')).toSorted())
    expect(ours).toHaveLength(3)
  })
})

test('tags changed here are what restic lists, and it can change them too', async () => {
  const { theirs, repository } = await aRepository()
  const id = await keep(repository, randomBytes(1000), ['a'])

  const [changed] = await repository.changeTags({ ids: [id], add: ['b'], remove: ['a'] })
  restic(theirs, ['tag', '--add', 'c', changed?.id ?? ''])

  const [snapshot] = await repository.snapshots({ filter: { tags: [['b', 'c']] } })
  expect(snapshot).toMatchObject({ tags: ['b', 'c'], original: id })
  expect(await repository.snapshots({ filter: { tags: [['a']] } })).toEqual([])
  sound(theirs)
})

test('keys are added, changed and removed, as restic sees it', async () => {
  const { folder, theirs, repository } = await aRepository()
  const { keyId } = await repository.addKey({ key: { encryptionKey: 'second' } })
  expect(restic({ ...theirs, password: 'second' }, ['key', 'list']).toString()).toContain(`*${keyId.slice(0, 8)}`)

  const second = await openRepository(new FolderStore(folder), { passwords: ['second'] })
  const changed = await second.changeKey({ key: { encryptionKey: 'third' } })
  const [old] = (await repository.keys()).filter(({ current }) => current)
  const third = await openRepository(new FolderStore(folder), { passwords: ['third'] })
  await third.removeKey(old?.id ?? '')

  expect(changed.removed).toBe(keyId)
  expect((await third.keys()).map(({ id }) => id)).toEqual([changed.keyId])
  expect(() => restic(theirs, ['snapshots'])).toThrow()
  expect(() => restic({ ...theirs, password: 'second' }, ['snapshots'])).toThrow()
  expect(restic({ ...theirs, password: 'third' }, ['check']).toString()).toContain('no errors were found')
  await expect(third.removeKey(changed.keyId)).rejects.toMatchObject({ code: 'REPOSITORY_BAD_ARGUMENT' })
})

test('snapshots of restic are copied into a repository with other keys, which restic reads; a second copy does nothing', async () => {
  const [source, target] = [await aRepository(), await aRepository()]
  const folder = aFolder()
  mkdirSync(join(folder, 'sub/deep'), { recursive: true })
  const big = randomBytes(20 * MiB)
  writeFileSync(join(folder, 'sub/big'), big)
  writeFileSync(join(folder, 'sub/deep/text'), 'text '.repeat(100_000))
  restic(source.theirs, ['backup', '-q', '--tag', 't', folder])
  await keep(source.repository, big)

  const first = await source.repository.copyTo(target.repository)
  const again = await source.repository.copyTo(target.repository)

  expect(first.snapshots.map(({ already }) => already)).toEqual([false, false])
  expect(again).toMatchObject({ copiedBlobs: 0 })
  expect(again.snapshots.map(({ already }) => already)).toEqual([true, true])
  sound(target.theirs)
  const copied = await target.repository.snapshots()
  expect(restic(target.theirs, ['dump', 'latest', '/f']).equals(big)).toBe(true)
  expect(restic(target.theirs, ['dump', copied[0]?.id ?? '', join(folder, 'sub/big')]).equals(big)).toBe(true)
  // restic's own copy finds ours.
  const password = { RESTIC_PASSWORD2: 'w', RESTIC_REPOSITORY2: target.folder }
  restic({ ...source.theirs, env: password }, ['copy', '--repo2', target.folder])
  expect((await target.repository.snapshots()).map(({ id }) => id)).toEqual(copied.map(({ id }) => id))
})

test('an index that is lost or damaged is made anew from the packs', async () => {
  const { folder, theirs, repository } = await aRepository()
  const bytes = randomBytes(5 * MiB)
  const ids = [await keep(repository, bytes), await keep(repository, bytes.subarray(MiB))]
  const [lost = '', damaged = ''] = readdirSync(join(folder, 'index'))
  rmSync(join(folder, 'index', lost))
  writeFileSync(join(folder, 'index', damaged), 'no index')
  const other = await openRepository(new FolderStore(folder), { passwords: ['w'] })

  const result = await other.repairIndex()

  expect(result).toMatchObject({ packsGone: [], packsUnreadable: [], indexesDamaged: [damaged] })
  expect(result.packsAdded).toBeGreaterThan(1)
  sound(theirs)
  for (const id of ids) expect((await bytesOf(other.restoreStream({ snapshot: { id } }))).length).toBeGreaterThan(3 * MiB)
})

test('parts of the data are checked so that all parts together are all of it', async () => {
  const { repository } = await aRepository()
  for (let count = 0; count < 4; count++) await keep(repository, randomBytes(600_000))
  const whole = await repository.check({ readData: true })

  const parts = await Promise.all([1, 2, 3].map((part) => repository.check({ readData: { part, of: 3 } })))
  const half = await repository.check({ readData: { percent: 50 } })

  expect(parts.reduce((sum, { readBytes }) => sum + readBytes, 0)).toBe(whole.readBytes)
  expect(half.readBytes).toBeGreaterThan(0)
  expect(half.readBytes).toBeLessThan(whole.readBytes)
})

describe('a prune in steps beside the real restic', () => {
  test('restic reads and checks the repository after each step, and backs up into it in between', async () => {
    const { theirs, repository } = await aRepository()
    const [gone, kept] = [randomBytes(10 * MiB), randomBytes(3 * MiB)]
    const forgotten = await keep(repository, Buffer.concat([gone, kept]))
    const stays = await keep(repository, kept)
    await repository.forgetSnapshot(forgotten)

    const marked = await repository.pruneInSteps({ graceMs: 0, maxUnusedPercent: 0 })
    sound(theirs)
    // It knows of no marks and builds upon what is marked; so that stays.
    restic(theirs, ['backup', '-q', '--stdin', '--stdin-filename', 'again'], { input: gone })
    const swept = await repository.pruneInSteps({ graceMs: 0, maxUnusedPercent: 0 })

    expect(marked.waiting.bytes).toBeGreaterThan(5 * MiB)
    expect(swept.swept.packsKept).toBeGreaterThan(0)
    sound(theirs)
    expect(restic(theirs, ['dump', 'latest', '/again']).equals(gone)).toBe(true)
    expect(restic(theirs, ['dump', stays, '/f']).equals(kept)).toBe(true)
  })

  test('a lock of restic keeps the sweep away, and the lock of a sweep keeps restic away', async () => {
    const { folder, theirs, repository } = await aRepository()
    await repository.forgetSnapshot(await keep(repository, randomBytes(MiB)))
    await repository.pruneInSteps({ graceMs: 0 })
    const warnings: string[] = []
    const lease = <T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> => work(signal)
    let said = ''
    const beside = await repository.pruneInSteps({
      graceMs: 0,
      lease,
      onWarning: (warning) => warnings.push(warning),
      onProgress: ({ step }) => {
        if (step !== 'removing' || said !== '') return
        try {
          restic(theirs, ['backup', '-q', '--stdin'], { input: Buffer.from('x') })
          said = 'restic went on'
        } catch (error) {
          said = String((error as { stderr?: Buffer }).stderr)
        }
      },
    })

    expect(said).toContain('locked exclusively')
    expect(beside.swept.packsDeleted).toBeGreaterThan(0)
    expect(readdirSync(join(folder, 'data')).flatMap((name) => readdirSync(join(folder, 'data', name)))).toEqual([])
    sound(theirs)
  })
})
