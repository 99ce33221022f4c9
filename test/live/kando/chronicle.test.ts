import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { S3Store } from '../../../src/store/s3.ts'
import { keysBelow } from '../../conformance/object-store.ts'
import { useTestBuckets } from '../../harness/s3/test-buckets.ts'
import { useWorld } from '../../harness/world/fixtures.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

const entry = resolve(import.meta.dirname, '../../../src/main/holdfast.ts')
const world = useWorld()
const buckets = useTestBuckets(world)

let folder: string
let store: S3Store
let profile: string
let running: ChildProcess[]
beforeEach(async () => {
  const settings = await buckets.create()
  store = new S3Store(settings)
  profile = JSON.stringify({
    Location: { type: 's3Compliant', bucket: settings.bucket, endpoint: settings.endpoint, prefix: 'team' },
    Credential: { Type: 'keyPair', KeyPair: { ID: world().s3.accessKey, Secret: world().s3.secretKey } },
  })
  folder = mkdtempSync(join(tmpdir(), 'holdfast-chronicle-'))
  writeFileSync(join(folder, 'profile'), profile)
  writeFileSync(join(folder, 'artifact'), 'a/latest\n')
  running = []
})
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true })
})

function push(command: string, more: readonly string[] = []): ChildProcess {
  const files = ['-p', join(folder, 'profile'), '-s', join(folder, 'artifact'), '-f', '200ms']
  const child = spawn(process.execPath, [entry, 'kando', 'chronicle', 'push', ...files, ...more, command], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.push(child)
  return child
}

async function pull(): Promise<string> {
  const child = spawn(process.execPath, [entry, 'kando', 'chronicle', 'pull', '-', '-p', profile, '-s', 'a/latest'])
  const [out] = await Promise.all([buffer(child.stdout), once(child, 'close')])
  return out.toString()
}

const pointed = async (): Promise<string> => Buffer.from(await store.get('team/a/latest')).toString()

test('the latest output can be pulled, and the ones before it are gone', async () => {
  await store.put('team/a/latest-1x', Buffer.from('a neighbour'))
  const child = push('echo "it is $(date +%s%N)"')

  await waitFor('the third round', async () => Number((await pointed()).split('-')[1]) >= 2)
  expect(await pull()).toMatch(/^it is \d+\n$/)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')

  expect(await ended).toEqual([0, null])
  const last = `team/${await pointed()}`
  const expected = [last, `${last}.holdfast-manifest.json`, 'team/a/latest', 'team/a/latest-1x']
  expect((await keysBelow(store, 'team/a/')).filter((key) => expected.includes(key))).toHaveLength(4)
  expect(await keysBelow(store, 'team/a/latest-0')).toEqual([])

  push('echo again')
  const next = Number(last.split('-')[1]) + 1
  await waitFor('a new process to count on', async () => Number((await pointed()).split('-')[1]) >= next)
})

test('a round that fails ends it, and the output before stays', async () => {
  writeFileSync(join(folder, 'fails'), '')
  const child = push(`if [ -e ${folder}/ok ]; then echo half; exit 3; fi; touch ${folder}/ok; echo whole`)
  const said = text(child.stderr as NonNullable<typeof child.stderr>)

  expect(await once(child, 'exit')).toEqual([69, null])
  expect(await said).toContain('exit code 3')
  expect(await pull()).toBe('whole\n')
})

test('the command sees the variables of the folder', async () => {
  mkdirSync(join(folder, 'env'))
  writeFileSync(join(folder, 'env', 'PASSWORD'), 'hidden')
  push('echo "$PASSWORD/$HOME"', ['-e', join(folder, 'env')])

  await waitFor('the first round', async () => (await pointed()) !== '')
  expect(await pull()).toBe('hidden/\n')
})

test('kando stream is refused, with both ways out', async () => {
  const words = ['stream', 'push', 'http://x', '-p', 'x', '-c', 'y', '-d', '/a', '-f', 'b']
  const child = spawn(process.execPath, [entry, 'kando', ...words], { stdio: ['ignore', 'ignore', 'pipe'] })
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')])

  expect(code).toBe(69)
  expect(said).toContain('a Kopia repository, which Holdfast does not keep')
  expect(said).toContain('kando location push -')
  expect(said).toContain('BackupStream')
})
