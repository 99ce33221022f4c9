import { containerdSocket } from '../cluster/programs.ts'
import { run } from '../machine/command.ts'

/** Gives an image archive to the node. Safe to repeat. */
export async function importImage(state: string, archive: string): Promise<void> {
  await ctr(state, 'image', 'import', archive)
}

/** Names of the images on the node, `docker.io/library/postgres:15`. */
export async function listImages(state: string): Promise<readonly string[]> {
  return (await ctr(state, 'image', 'ls', '-q')).split('\n').filter(Boolean)
}

export async function ctr(state: string, ...args: readonly string[]): Promise<string> {
  return run('ctr', ['-a', containerdSocket(state), '-n', 'k8s.io', ...args])
}

/** Gives an image of the node a further name. Safe to repeat; the name then means this image. */
export async function nameImage(state: string, image: string, name: string): Promise<void> {
  await ctr(state, 'image', 'tag', '--force', image, name)
}
