import { readFile, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** The text of a file; undefined when there is none. */
export async function findText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Names and texts of the files of a folder. Links count, as in a mounted Secret; names with dots before them do not. */
export async function readFolder(folder: string): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    if (!name.startsWith('.') && (await stat(file)).isFile()) texts[name] = await readFile(file, 'utf8')
  }
  return texts
}
