import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePackages, packages } from '../machine/debian-packages.ts'
import { keyOf } from '../machine/content-key.ts'
import type { Folders } from '../machine/folders.ts'
import { step } from '../machine/steps.ts'
import { debianImage, ensureDebianImage } from './debian-base.ts'
import { buildDockerfile, type DockerfileImage } from './dockerfile-image.ts'
import { importImage } from './import.ts'

/** Images of the harness itself; each but `debian` is a folder beside this file with a Dockerfile. */
export const harnessImages = {
  debian: debianImage,
  postgres: 'docker.io/library/postgres:15',
  redis: 'docker.io/library/redis:7-bookworm',
} as const

export type HarnessImage = keyof typeof harnessImages

/** Builds the image, unless the cache has it, and gives the path of its archive. */
export async function ensureImageArchive(folders: Folders, image: HarnessImage | DockerfileImage): Promise<string> {
  await ensurePackages(folders, packages.images)
  const base = await ensureDebianImage(folders)
  if (image === 'debian') return base.archive
  if (typeof image === 'object') return buildDockerfile(folders, base, image)
  const context = fileURLToPath(new URL(`./${image}`, import.meta.url))
  return buildDockerfile(folders, base, { name: harnessImages[image], context })
}

/**
 * Makes the image usable by pods of the running cluster under its name (`imagePullPolicy: IfNotPresent` or `Never`);
 * gives the name. Quick when it is there already.
 */
export async function ensureImage(folders: Folders, image: HarnessImage | DockerfileImage): Promise<string> {
  const archive = await ensureImageArchive(folders, image)
  const name = typeof image === 'object' ? image.name : harnessImages[image]
  // The archive's path names its content, so the mark says which content the node has.
  const marks = join(folders.state, 'images')
  const mark = join(marks, keyOf(archive))
  if (!existsSync(mark)) {
    await step(`importing image ${name}`, () => importImage(folders.state, archive))
    await mkdir(marks, { recursive: true })
    await writeFile(mark, `${name}\n`)
  }
  return name
}
