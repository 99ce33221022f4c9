import { join, resolve } from 'node:path'
import { buildAll } from '../../../deploy/build.ts'
import { keyOfFolder } from '../machine/content-key.ts'
import type { Folders } from '../machine/folders.ts'
import { step } from '../machine/steps.ts'
import { ensureImage } from './ensure-image.ts'

export interface EngineImage {
  readonly name: string
  /** Changes with what is in it. */
  readonly content: string
}

/** Our image, built from this checkout, under the name that deploy/install.yaml uses; pods of the running cluster can use it. */
export async function ensureEngineImage(folders: Folders): Promise<EngineImage> {
  const context = await step('bundling Holdfast', buildAll)
  const dockerfile = join(resolve(import.meta.dirname, '../../..'), 'deploy/Dockerfile')
  const name = await ensureImage(folders, { name: 'docker.io/holdfast/holdfast:0.1.0', context, dockerfile })
  return { name, content: await keyOfFolder(context) }
}
