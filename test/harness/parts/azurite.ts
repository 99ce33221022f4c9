import { copyFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from '../machine/cache.ts'
import { run } from '../machine/command.ts'
import { keyOf } from '../machine/content-key.ts'
import type { Folders } from '../machine/folders.ts'

/**
 * Microsoft's own emulator of Azure Blob Storage, from npm into the cache: a test server and 360 MB, so no dependency of ours. Gives the
 * script to run. No install script of any package runs.
 */
export async function ensureAzurite(folders: Folders): Promise<string> {
  const source = fileURLToPath(new URL('./azurite', import.meta.url))
  const files = ['package.json', 'package-lock.json']
  const key = keyOf(...(await Promise.all(files.map((file) => readFile(join(source, file))))))
  const built = await cached(
    folders,
    'azurite',
    key,
    async (out) => {
      for (const file of files) await copyFile(join(source, file), join(out, file))
      await run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: out })
    },
    { keep: 1 },
  )
  return join(built, 'node_modules/azurite/dist/src/blob/main.js')
}
