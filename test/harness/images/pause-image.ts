import { copyFile, mkdir, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { cached } from '../machine/cache.ts'
import type { Folders } from '../machine/folders.ts'
import { keyOf } from '../machine/content-key.ts'
import { pauseImage } from '../cluster/settings.ts'
import { packImage } from './docker-archive.ts'

/** The archive of the image that holds each pod's namespaces: one static program. */
export async function ensurePauseImage(folders: Folders, pause: string): Promise<string> {
  // The program's folder is named by its content.
  const folder = await cached(folders, 'image-pause', keyOf(dirname(pause), pauseImage), async (out) => {
    const root = join(out, 'root')
    await mkdir(root)
    await copyFile(pause, join(root, 'pause'))
    await packImage(root, { name: pauseImage, entrypoint: ['/pause'] }, out, join(out, 'image.tar'))
    await rm(root, { recursive: true })
  })
  return join(folder, 'image.tar')
}
