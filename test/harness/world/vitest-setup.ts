import { prepareWorld } from './prepare.ts'

/**
 * vitest's global setup of the projects that want real servers: makes the world before the first file, so that no
 * file's time runs out on a first build. It stays up afterwards; `npm test` stops what it started.
 */
export async function setup(): Promise<void> {
  await prepareWorld()
}
