import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Folders } from './folders.ts'
import { withLock } from './lock.ts'
import { step } from './steps.ts'

/**
 * The folder `<cache>/<name>-<key>`, made by `make` when it is not there yet. It is made under another name and
 * renamed at the end, so a folder of that name is always whole; a second builder waits for the first.
 */
export async function cached(
  folders: Folders,
  name: string,
  key: string,
  make: (folder: string) => Promise<void>,
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
  })
  return folder
}
