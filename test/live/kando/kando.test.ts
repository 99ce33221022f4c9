import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readOutputLine } from '../../../src/api/phase-output.ts'
import { S3Store } from '../../../src/store/s3.ts'
import { keysBelow, patterned } from '../../conformance/object-store.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'

const entry = resolve(import.meta.dirname, '../../../src/main/holdfast.ts')
const manifest = '.holdfast-manifest.json'

const world = useWorld()
const buckets = useTestBuckets(world)
let store: S3Store
let profile: string
let folder: string
let bucket: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-kando-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  const settings = await buckets.create()
  store = new S3Store(settings)
  bucket = settings.bucket
  profile = profileOf({ bucket })
})

function profileOf(location: object): string {
  return JSON.stringify({
    Location: { type: 's3Compliant', endpoint: world().s3.endpoint, prefix: 'team', region: '', ...location },
    Credential: { Type: 'keyPair', KeyPair: { ID: world().s3.accessKey, Secret: world().s3.secretKey }, Secret: null },
    SkipSSLVerify: false,
  })
}

interface Ended {
  readonly code: number | null
  readonly stdout: Buffer
  readonly stderr: string
}

interface Piped {
  readonly stdout: Readable
  readonly stderr: Readable
}

/** Runs kando as a container would; `input` comes through a pipe. */
async function kando(words: readonly string[], input?: Buffer): Promise<Ended> {
  const child = spawn(process.execPath, [entry, 'kando', ...words], {
    stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'],
  }) as ChildProcess & Piped
  child.stdin?.on('error', () => {})
  child.stdin?.end(input)
  const [stdout, stderr, code] = await Promise.all([buffer(child.stdout), text(child.stderr), exitOf(child)])
  return { code, stdout, stderr }
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((done) => child.once('close', (code) => done(code)))
}

const push = (path: string, body: Buffer): Promise<Ended> =>
  kando(['location', 'push', '--profile', profile, '--path', path, '-'], body)
const pull = (path: string): Promise<Ended> => kando(['location', 'pull', '-', '-p', profile, '-s', path])

describe('kando location', () => {
  test('pushes a pipe and pulls it to stdout, silently, at the key that Kanister uses', async () => {
    const body = patterned(12 * 1024 * 1024 + 1)

    const pushed = await push('/db//x/../dump.gz', body)

    expect(pushed).toMatchObject({ code: 0, stderr: '' })
    expect(pushed.stdout).toHaveLength(0)
    expect(await keysBelow(store, '')).toEqual(['team/db/dump.gz', `team/db/dump.gz${manifest}`])
    expect((await pull('db/dump.gz')).stdout.equals(body)).toBe(true)
  })

  test('pushes and pulls files, and a pull replaces a longer file as a whole', async () => {
    const [source, target] = [join(folder, 'source'), join(folder, 'target')]
    await writeFile(source, 'content')
    await writeFile(target, 'something much longer than the content')

    expect(await kando(['location', 'push', source, '-p', profile, '-s', 'f'])).toMatchObject({ code: 0, stderr: '' })
    expect(await kando(['location', 'pull', target, '-p', profile, '-s', 'f'])).toMatchObject({ code: 0, stderr: '' })

    expect(await readFile(target, 'utf8')).toBe('content')
    const fresh = join(folder, 'fresh')
    await kando(['location', 'pull', fresh, '-p', profile, '-s', 'f'])
    expect((await stat(fresh)).mode & 0o111).not.toBe(0)
  })

  test('gives each push with an output name a place of its own, found again by what it printed', async () => {
    const named = async (body: string): Promise<string> => {
      const words = ['location', 'push', '-', '-p', profile, '-s', 'dump.sql', '--output-name', 'snap']
      const pushed = await kando(words, Buffer.from(body))
      return readOutputLine(pushed.stdout.toString().trim()).output?.value ?? ''
    }
    const back = (json: string): Promise<Ended> => kando(['location', 'pull', '-', '-p', profile, '-s', 'dump.sql', '-k', json])
    const [first, second] = [await named('first'), await named('the second')]

    expect(JSON.parse(second)).toEqual({ id: expect.stringMatching(/^[0-9a-f]{32}$/), logicalSize: 10, physicalSize: 10 })
    expect((await back(first)).stdout.toString()).toBe('first')
    const removed = await kando(['location', 'delete', '-p', profile, '-s', 'dump.sql', '--kopia-snapshot', first])
    expect(removed).toMatchObject({ code: 0, stderr: '' })
    expect(await back(first)).toMatchObject({ code: 69, stderr: expect.stringContaining('does not exist') })
    expect((await back(second)).stdout.toString()).toBe('the second')
    expect(await back('{"id":"../other"}')).toMatchObject({ code: 69, stderr: expect.stringContaining('--kopia-snapshot') })
  })

  test('pulls what another tool wrote', async () => {
    await store.put('team/old', Buffer.from('from Kanister'))

    expect((await pull('old')).stdout.toString()).toBe('from Kanister')
  })

  test('stores an empty pipe, but says so', async () => {
    expect(await push('empty', Buffer.alloc(0))).toMatchObject({ code: 0, stderr: expect.stringContaining('is empty') })

    expect(await pull('empty')).toMatchObject({ code: 0, stdout: Buffer.alloc(0) })
  })

  test.each([
    ['truncated', (body: Buffer) => body.subarray(0, -1)],
    ['altered at its end', (body: Buffer) => Buffer.concat([body.subarray(0, -1), Buffer.from('!')])],
    ['altered at its beginning', (body: Buffer) => Buffer.concat([Buffer.from('!'), body.subarray(1)])],
  ])('never gives out the whole of an object that was %s', async (_name, damage) => {
    const body = patterned(3_000_000)
    await push('k', body)
    await store.put('team/k', damage(body))
    const target = join(folder, 'damaged')
    await writeFile(target, 'older')

    const pulled = await pull('k')

    expect(pulled).toMatchObject({ code: 69, stderr: expect.stringContaining('truncated, altered or replaced') })
    expect(pulled.stdout.length).toBeLessThan(body.length - 1)
    expect((await kando(['location', 'pull', target, '-p', profile, '-s', 'k'])).code).toBe(69)
    expect(await readFile(target, 'utf8')).toBe('older')
  })

  test('deletes the object, its manifest and what is below it, and no neighbour', async () => {
    for (const key of ['kb', 'k.gz', 'k-2/x']) await store.put(`team/${key}`, Buffer.from('x'))
    await push('k', Buffer.from('x'))
    await push('dir/a', Buffer.from('x'))
    await push('dir/b/c', Buffer.from('x'))
    await push('dir2/a', Buffer.from('x'))

    expect(await kando(['location', 'delete', '-p', profile, '-s', 'k'])).toMatchObject({ code: 0, stderr: '' })
    expect((await kando(['location', 'delete', '-p', profile, '-s', '/dir/'])).code).toBe(0)
    expect((await kando(['location', 'delete', '-p', profile, '-s', 'absent'])).code).toBe(0)

    const left = ['team/dir2/a', `team/dir2/a${manifest}`, 'team/k-2/x', 'team/k.gz', 'team/kb']
    expect(await keysBelow(store, '')).toEqual(left)
  })

  test.each(['', '/', '.', 'a/..', '..', '../team', '../other'])('refuses to delete the path %j', async (path) => {
    await store.put('team/k', Buffer.from('x'))

    expect(await kando(['location', 'delete', '-p', profile, '-s', path])).toMatchObject({
      code: 69,
      stderr: /refusing to delete/,
    })

    expect(await keysBelow(store, '')).toEqual(['team/k'])
  })

  test('a push that is ended by a signal leaves nothing', async () => {
    const child = spawn(process.execPath, [entry, 'kando', 'location', 'push', '-', '-p', profile, '-s', 'k'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    child.stdin.on('error', () => {})
    child.stdin.write(patterned(20 * 1024 * 1024), () => child.kill('SIGTERM'))

    expect(await exitOf(child)).toBe(143)

    expect(await keysBelow(store, '')).toEqual([])
  })

  test.each([
    ['no profile', ['location', 'push', '-'], 'Please provide the --profile flag'],
    ['a profile that is no JSON', ['location', 'pull', '-', '-p', '{"Secret":"hush'], 'failed to unmarshal profile'],
    [
      'a location of another kind',
      ['location', 'pull', '-', '-s', 'x', '-p', '{"Location":{"type":"ftp"}}'],
      'Unsupported Location type: ftp',
    ],
    [
      'a Kopia server',
      ['location', 'push', '-', '-s', 'x', '-p', '{"Location":{"type":"kopia"},"Credential":{"Type":"kopia"}}'],
      'a Kopia server is not supported; use the object store behind it as s3Compliant',
    ],
    [
      'a RepositoryServer',
      ['location', 'push', '-', '-s', 'x', '-r', '{"Name":"hush"}'],
      "instead of --repository-server give --profile '{{ toJson .Profile }}'",
    ],
    ['its host', ['location', 'delete', '-s', 'x', '-p', 'PROFILE', '-c', 'host'], 'kando keeps no Kopia repository'],
    [
      'stdin that is no pipe',
      ['location', 'push', '-', '-s', 'x', '-p', 'PROFILE'],
      'Stdin must be piped when the source parameter is "-"',
    ],
    ['a file that is missing', ['location', 'push', '/nowhere', '-s', 'x', '-p', 'PROFILE'], '/nowhere'],
    ['an empty path', ['location', 'pull', '-', '-p', 'BARE'], 'the path is empty'],
    ['an object that is missing', ['location', 'pull', '-', '-s', 'x', '-p', 'PROFILE'], 'object "team/x"'],
    ['a word too few', ['location', 'push', '-p', 'PROFILE'], 'source'],
    ['an unknown flag', ['location', 'push', '-', '--nonsense'], 'unknown option'],
    ['a key with a dash', ['output', 'a-b', 'v'], 'Key should contain only alphanumeric characters and underscore'],
    ['an empty key', ['output', '', 'v'], 'Key should not be empty'],
    ['no value', ['output', 'k'], 'Command accepts 2 arguments, received 1 arguments'],
  ])('ends with 69 and says why: %s', async (_name, words, message) => {
    const bare = profileOf({ bucket, prefix: '' })
    const filled = words.map((word) => (word === 'PROFILE' ? profile : word === 'BARE' ? bare : word))

    const ended = await kando(filled)

    expect(ended).toMatchObject({ code: 69, stderr: expect.stringContaining(message) })
    expect(ended.stderr).toMatch(/^Error: /)
    expect(ended.stderr).not.toContain('hush')
    expect(ended.stdout).toHaveLength(0)
  })
})

test('kando output prints the line that the engine reads', async () => {
  const { stdout, code } = await kando(['output', 'path', '<a> & "b"'])

  expect(code).toBe(0)
  expect(stdout.toString()).toBe('###Phase-output###: {"key":"path","value":"\\u003ca\\u003e \\u0026 \\"b\\""}\n')
})
