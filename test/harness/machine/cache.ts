import { existsSync, statSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Folders } from './folders.ts'
import { withLock } from './lock.ts'
import { step } from './steps.ts'

export interface CacheOptions {
  /** How many contents of that name to keep; the oldest go when a new one is made. @default 3 */
  readonly keep?: number
}

/**
 * The folder `<cache>/<name>-<key>`, made by `make` when it is not there yet. It is made under another name and
 * renamed at the end, so a folder of that name is always whole; a second builder waits for the first.
 */
export async function cached(
  folders: Folders,
  name: string,
  key: string,
  make: (folder: string) => Promise<void>,
  options: CacheOptions = {},
): Promise<string> {
  const folder = join(folders.cache, `${name}-${key}`)
  if (existsSync(folder)) return folder
  await withLock(join(folders.cache, 'locks', name), `building ${name}`, async () => {
    if (existsSync(folder)) return
    const unfinished = `${folder}.unfinished`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    await step(`building ${name}`, () => make(unfinished))
    await rename(unfinished, folder)
    await removeOldest(folders.cache, name, folder, (options.keep ?? 3) - 1)
  })
  return folder
}

/** Keeps `keep` folders of that name besides the one just made. */
async function removeOldest(cache: string, name: string, made: string, keep: number): Promise<void> {
  const siblings = (await readdir(cache)).filter(
    (entry) => entry.startsWith(`${name}-`) && /^[0-9a-f]{16}(\.unfinished)?$/.test(entry.slice(name.length + 1)),
  )
  const dated = siblings.map((entry) => ({ path: join(cache, entry), madeMs: statSync(join(cache, entry)).mtimeMs }))
  const newestFirst = dated.filter(({ path }) => path !== made).toSorted((a, b) => b.madeMs - a.madeMs)
  for (const { path } of newestFirst.slice(keep)) await rm(path, { recursive: true, force: true })
}
