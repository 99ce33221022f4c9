import { join, resolve } from 'node:path'
import { buildAll } from '../../../deploy/build.ts'
import type { Folders } from '../machine/folders.ts'
import { step } from '../machine/steps.ts'
import { ensureImage } from './ensure-image.ts'

/** Our image, built from this checkout, under the name that deploy/install.yaml uses; pods of the running cluster can use it. */
export async function ensureEngineImage(folders: Folders): Promise<string> {
  const context = await step('bundling Holdfast', buildAll)
  const dockerfile = join(resolve(import.meta.dirname, '../../..'), 'deploy/Dockerfile')
  return ensureImage(folders, { name: 'docker.io/holdfast/holdfast:0.1.0', context, dockerfile })
}
