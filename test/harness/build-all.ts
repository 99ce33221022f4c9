import { ensureImageArchive, type HarnessImage, harnessImages } from './images/ensure-image.ts'
import { ensurePackages, packages } from './machine/debian-packages.ts'
import type { Folders } from './machine/folders.ts'
import { ensureAzurite } from './parts/azurite.ts'
import { ensureGoPrograms, ensureTestProgram } from './parts/go-programs.ts'

/**
 * Everything that a first start needs, into the cache: the Go programs on one hand, packages and images (which mostly
 * wait for the network and the disk) on the other.
 */
export async function buildAll(folders: Folders): Promise<void> {
  const all = { ...packages.cluster, ...packages.images, ...packages.tests }
  await ensurePackages(folders, all)
  const images = async (): Promise<void> => {
    for (const image of Object.keys(harnessImages) as HarnessImage[]) await ensureImageArchive(folders, image)
  }
  const programs = async (): Promise<void> => {
    await ensureGoPrograms(folders)
    await ensureTestProgram(folders, 'fake-gcs-server')
  }
  await Promise.all([programs(), images(), ensureAzurite(folders)])
}
