import { createHash } from 'node:crypto'
import { readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** A short name for exactly this content: equal inputs, equal key, on every machine. */
export function keyOf(...inputs: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const input of inputs) hash.update(`${input.length}:`).update(input)
  return hash.digest('hex').slice(0, 16)
}

/** The key of a folder: names, contents, link targets and execute bits of all that is in it. */
export async function keyOfFolder(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const lines: string[] = []
  for (const entry of entries) {
    if (entry.isDirectory()) continue
    const path = join(entry.parentPath, entry.name)
    const shown = path.slice(folder.length)
    if (entry.isSymbolicLink()) lines.push(`${shown} -> ${await readlink(path)}`)
    else lines.push(`${shown} ${(await stat(path)).mode & 0o111 ? 'x' : '-'} ${keyOf(await readFile(path))}`)
  }
  return keyOf(lines.toSorted().join('\n'))
}
