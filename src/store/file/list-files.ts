import type { Dirent } from 'node:fs'
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallOptions, ObjectInfo } from '../object-store.ts'
import { infoOf } from './file-info.ts'
import { type StoreFolder, growingName, markName } from './folder.ts'

/** Every file whose key starts with `prefix`, in key order. Folders that cannot hold one are not opened; links are not followed. */
export async function* listFiles(folder: StoreFolder, prefix: string, options: CallOptions): AsyncGenerator<ObjectInfo> {
  options.signal?.throwIfAborted()
  const root = await folder.open()
  // The deepest folder that the prefix names in full.
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (start.split('/').some((name) => name === '.' || name === '..')) return
  yield* below(root, start, prefix, options)
}

async function* below(root: string, folderKey: string, prefix: string, options: CallOptions): AsyncGenerator<ObjectInfo> {
  for (const entry of await entriesOf(join(root, folderKey))) {
    options.signal?.throwIfAborted()
    const name = entry.name
    if (folderKey === '' && (name === markName || name === growingName)) continue
    const key = `${folderKey}${name}`
    if (entry.isDirectory()) {
      const inside = `${key}/`
      if (inside.startsWith(prefix) || prefix.startsWith(inside)) yield* below(root, inside, prefix, options)
    } else if (entry.isFile() && key.startsWith(prefix)) {
      const info = await infoOfFile(join(root, key), key)
      if (info) yield info
    }
  }
}

/** In the order of the keys they lead to: `a.txt` before `a/b`, bytes of UTF-8 before characters. */
async function entriesOf(folder: string): Promise<Dirent[]> {
  let entries: Dirent[]
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
  const keyed = entries.map((entry) => ({ entry, order: Buffer.from(entry.isDirectory() ? `${entry.name}/` : entry.name) }))
  return keyed.toSorted((a, b) => Buffer.compare(a.order, b.order)).map(({ entry }) => entry)
}

async function infoOfFile(file: string, key: string): Promise<ObjectInfo | undefined> {
  try {
    return infoOf(key, await lstat(file, { bigint: true }))
  } catch (error) {
    // Deleted meanwhile.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
