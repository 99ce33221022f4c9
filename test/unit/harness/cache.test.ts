import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { cached } from '../../harness/machine/cache.ts'
import { keyOf } from '../../harness/machine/content-key.ts'
import type { Folders } from '../../harness/machine/folders.ts'
import { withLock } from '../../harness/machine/lock.ts'

let folders: Folders

beforeEach(async () => {
  const cache = await mkdtemp(join(tmpdir(), 'holdfast-cache-'))
  folders = { name: 'test', state: join(cache, 'state'), cache }
})

afterEach(() => rm(folders.cache, { recursive: true, force: true }))

it('makes a thing once for all who want it at the same time', async () => {
  let made = 0
  const make = async (out: string): Promise<void> => {
    made++
    await writeFile(join(out, 'file'), 'whole')
  }

  const paths = await Promise.all([1, 2, 3].map(() => cached(folders, 'thing', keyOf('a'), make)))

  expect(made).toBe(1)
  expect(new Set(paths).size).toBe(1)
  expect(existsSync(join(paths[0] ?? '', 'file'))).toBe(true)
})

it('does not take a thing whose making failed for a thing', async () => {
  const broken = cached(folders, 'thing', keyOf('a'), async (out) => {
    await writeFile(join(out, 'half'), '')
    throw new Error('no more room')
  })
  await expect(broken).rejects.toThrow('no more room')

  const path = await cached(folders, 'thing', keyOf('a'), (out) => writeFile(join(out, 'file'), 'whole'))

  expect(await readdir(path)).toEqual(['file'])
})

it('keeps the newest contents of a name only', async () => {
  for (const content of ['a', 'b', 'c', 'd']) {
    await cached(folders, 'thing', keyOf(content), (out) => writeFile(join(out, content), ''), { keep: 2 })
  }

  const kept = (await readdir(folders.cache)).filter((entry) => entry.startsWith('thing-'))
  expect(kept).toHaveLength(2)
  expect(kept).toContain(`thing-${keyOf('d')}`)
})

it('frees a lock when its holder is killed', async () => {
  const file = join(folders.cache, 'lock')
  const lock = join(import.meta.dirname, '../../harness/machine/lock.ts')
  const script = `import { withLock } from ${JSON.stringify(lock)}
await withLock(${JSON.stringify(file)}, 'testing', () => new Promise((resolve) => { console.log('held'); setTimeout(resolve, 1e6) }))`
  const holder = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')

  const free = withLock(file, 'testing', async () => 'free')
  holder.kill('SIGKILL')

  expect(await free).toBe('free')
})
