import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { cached } from '../machine/cache.ts'
import { run } from '../machine/command.ts'
import { keyOf } from '../machine/content-key.ts'
import type { Folders } from '../machine/folders.ts'
import { packImage } from './docker-archive.ts'

/** What Dockerfiles of this repository start `FROM`; here it is made from Debian's packages, so no registry is needed. */
export const debianImage = 'docker.io/library/debian:bookworm-slim'

export interface BaseImage {
  readonly archive: string
  /** Names the content: images built on it are built anew when it changes. */
  readonly key: string
}

/** About a minute the first time. From the mirror that debootstrap knows, unless `HOLDFAST_DEBIAN_MIRROR` names another. */
export async function ensureDebianImage(folders: Folders, env: NodeJS.ProcessEnv = process.env): Promise<BaseImage> {
  const mirror = env['HOLDFAST_DEBIAN_MIRROR'] ?? ''
  const key = keyOf(debianImage, mirror, process.arch, '1')
  const folder = await cached(folders, 'image-debian', key, async (out) => {
    const root = join(out, 'root')
    await run('debootstrap', ['--variant=minbase', 'bookworm', root, ...(mirror === '' ? [] : [mirror])])
    const dispensable = [
      'var/cache/apt/archives',
      'var/lib/apt/lists',
      'var/log',
      'usr/share/doc',
      'usr/share/locale',
      'usr/share/man',
    ]
    const inside = dispensable.map((path) => join(root, path))
    await run('find', [...inside, '-mindepth', '1', '-delete'])
    await run('mkdir', ['-p', join(root, 'var/cache/apt/archives/partial'), join(root, 'var/lib/apt/lists/partial')])
    await packImage(root, { name: debianImage, cmd: ['/bin/bash'] }, out, join(out, 'image.tar'))
    await rm(root, { recursive: true })
  })
  return { archive: join(folder, 'image.tar'), key }
}
