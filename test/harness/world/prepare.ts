import { ensurePackages, packages } from '../machine/debian-packages.ts'
import { harnessFolders } from '../machine/folders.ts'
import { buildAll } from '../build-all.ts'
import { openWorld } from './world.ts'

/** Builds and starts all that tests use, so that none of them waits minutes in its own time. */
export async function prepareWorld(env: NodeJS.ProcessEnv = process.env): Promise<void> {
  const folders = harnessFolders(env)
  await ensurePackages(folders, packages.tests)
  if (env['HOLDFAST_USE_CLUSTER'] !== '1') await buildAll(folders)
  await openWorld(env)
}
