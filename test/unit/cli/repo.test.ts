import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { repoCommands } from '../../../src/cli/commands/repo/define.ts'
import type { OpenedRepo, RepoDeps } from '../../../src/cli/commands/repo/deps.ts'
import { parsePlace } from '../../../src/cli/commands/repo/place.ts'
import { renderProgress } from '../../../src/cli/progress-bar.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { openRepository } from '../../../src/repository/open-repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { pieces } from '../repository/streams.ts'

let base = ''

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-cli-'))
})

afterAll(() => rmSync(base, { recursive: true, force: true }))

interface Ran {
  readonly out: string
  readonly err: string
  readonly exitCode: number
}

/** A machine with one store; `run` is the command line. */
function aMachine(): { run: (words: readonly string[], input?: Uint8Array, repo?: string) => Promise<Ran> } {
  const stores = new Map<string, MemoryStore>()
  const storeOf = (name: string): MemoryStore => {
    const store = stores.get(name) ?? new MemoryStore()
    stores.set(name, store)
    return store
  }
  const opened = (repository: OpenedRepo['repository']): OpenedRepo => ({
    repository,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  })
  const run = async (words: readonly string[], input: Uint8Array = new Uint8Array(), repo = 'here'): Promise<Ran> => {
    const ran = { out: '', err: '', exitCode: 0 }
    const deps: RepoDeps = {
      output: { out: (text) => void (ran.out += text), err: (text) => void (ran.err += text), live: false },
      clock: systemClock,
      signal: new AbortController().signal,
      finish: (exitCode) => void (ran.exitCode = exitCode),
      readText: (file) => Promise.resolve(readFileSync(file, 'utf8')),
      open: async ({ repo = '' }) => opened(await openRepository(storeOf(repo), { passwords: ['w'] })),
      init: async ({ repo = '' }, { likePolynomial: polynomial }) =>
        opened(await initRepository(storeOf(repo), { keys: [{ workingPassword: 'w' }], ...(polynomial && { polynomial }) })),
      stdin: () => pieces(input, 1 << 16),
      write: (bytes) => Promise.resolve(void (ran.out += Buffer.from(bytes).toString('latin1'))),
    }
    await repoCommands(deps).parseAsync([...words, '--repo', repo], { from: 'user' })
    return ran
  }
  return { run }
}

describe('holdfast repo', () => {
  test('keeps, lists, compares, restores, copies, forgets and prunes', async () => {
    const { run } = aMachine()
    const source = join(base, 'source')
    mkdirSync(join(source, 'sub'), { recursive: true })
    writeFileSync(join(source, 'a.txt'), 'one')
    writeFileSync(join(source, 'sub/b'), randomBytes(100_000))
    await run(['init'])
    const first = JSON.parse((await run(['backup', source, '--tag', 't', '-o', 'json'])).out) as { snapshotId: string }
    writeFileSync(join(source, 'a.txt'), 'another')
    const second = await run(['backup', source])

    const snapshots = JSON.parse((await run(['snapshots', '-o', 'json'])).out) as Array<{ id: string; tags: string[] }>
    const tagged = await run(['snapshots', '--tag', 't'])
    const changes = JSON.parse((await run(['diff', first.snapshotId, 'latest', '-o', 'json'])).out) as unknown[]
    const found = JSON.parse((await run(['find', '*.txt', '-o', 'json'])).out) as Array<{ path: string }>
    const dumped = await run(['dump', first.snapshotId, join(source, 'a.txt')])
    const target = join(base, 'target')
    await run(['restore', `latest:${source}`, '--target', target])
    await run(['init', '--like', 'here'], undefined, 'there')
    const copied = await run(['copy', '--to-repo', 'there'])
    const shown = await run(['forget', '--tag', 't'])
    const forgotten = await run(['forget', '--tag', 't', '--yes', '-o', 'json'])
    const pruned = JSON.parse((await run(['prune', '--now', '-o', 'json'])).out) as { packsDeleted: number }
    const checked = await run(['check', '--read-data-subset', '1/1'])

    expect(snapshots.map(({ tags }) => tags)).toEqual([['t'], []])
    expect(second.out).toContain('2 files, 1 of them unchanged')
    expect(tagged.out).toContain('1 snapshots')
    expect(changes).toMatchObject([{ kind: 'content', path: join(source, 'a.txt') }])
    expect(found).toHaveLength(2)
    expect(dumped.out).toBe('one')
    expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe('another')
    expect(copied.out).toContain('2 snapshots copied')
    expect(shown.out).toContain('1 snapshots would go')
    expect(JSON.parse(forgotten.out)).toMatchObject({ removed: true, snapshots: [{ id: first.snapshotId }] })
    expect(pruned).toHaveProperty('packsDeleted')
    expect(checked).toMatchObject({ exitCode: 0 })
    expect(checked.out).toContain('no errors were found')
  }, 60_000)

  test('keeps a stream, and says by its exit code that something could not be read', async () => {
    const { run } = aMachine()
    await run(['init'])
    mkdirSync(join(base, 'source'), { recursive: true })

    await run(['backup', '--stdin', '--stdin-filename', 'db.sql'], Buffer.from('select 1'))
    const dumped = await run(['dump', 'latest', '/db.sql'])
    const partly = await run(['backup', base, join(base, 'is-not-there')])

    expect(dumped.out).toBe('select 1')
    expect((await run(['ls', 'latest', '-o', 'json'])).out).toContain('source')
    expect(partly.exitCode).toBe(3)
    expect(partly.err).toContain('ENOENT')
  }, 60_000)

  test('forgets nothing that nobody named', async () => {
    const { run } = aMachine()
    await run(['init'])

    await expect(run(['forget', '--yes'])).rejects.toMatchObject({ code: 'CLI_USAGE' })
  })

  test.each([
    ['--keep-last', '-1'],
    ['--keep-last', '0'],
    ['--keep-last', 'all'],
    ['--keep-last', '1.5'],
    ['', '--yes'],
  ])(
    'forgets nothing by %s %s',
    async (...words) => {
      const { run } = aMachine()
      await run(['init'])
      await run(['backup', '--stdin'], Buffer.from('one'))

      await expect(run(['forget', ...words, '--yes'])).rejects.toMatchObject({ code: 'CLI_USAGE' })

      expect((await run(['snapshots'])).out).toContain('1 snapshots')
    },
    60_000,
  )

  test('a count or a share that is none is an error, not all or nothing', async () => {
    const { run } = aMachine()

    await expect(run(['snapshots', '--latest', 'two'])).rejects.toMatchObject({ code: 'CLI_USAGE' })
    await expect(run(['prune', '--max-unused', 'five'])).rejects.toMatchObject({ code: 'CLI_USAGE' })
  })
})

test.each([
  ['s3:https://minio:9000/bucket/a/b', { kind: 's3', endpoint: 'https://minio:9000', bucket: 'bucket', path: 'a/b' }],
  ['s3:http://127.0.0.1:9000/bucket', { kind: 's3', endpoint: 'http://127.0.0.1:9000', bucket: 'bucket', path: '' }],
  ['s3:s3.amazonaws.com/bucket/x', { kind: 's3', endpoint: 'https://s3.amazonaws.com', bucket: 'bucket', path: 'x' }],
  ['/srv/repo', { kind: 'folder', path: '/srv/repo' }],
  ['local:repo', { kind: 'folder', path: 'repo' }],
])('%s is where restic would look', (url, place) => {
  expect(parsePlace(url)).toEqual(place)
})

test.each(['s3:https://host', 'sftp:user@host:/x', 's3:https://key:secret@host/b', 's3:https://host/b/100%', ''])(
  '%j is refused, without its secrets',
  (url) => {
    expect(() => parsePlace(url)).toThrow(
      expect.objectContaining({ code: 'CLI_USAGE', message: expect.not.stringContaining('secret@') as string }),
    )
  },
)

test('a bar says how far, how fast and how long', () => {
  const line = renderProgress(
    { doneBytes: 2 ** 30, totalBytes: 2 ** 32, note: '3 files' },
    { elapsedMs: 61_000, bytesPerSecond: 2 ** 28 },
  )

  expect(line).toBe('[1:01]  25.0 %  1.000 GiB of 4.000 GiB  256.000 MiB/s  0:12 left  3 files')
})
