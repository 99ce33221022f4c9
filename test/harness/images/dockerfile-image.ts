import { join } from 'node:path'
import { cached } from '../machine/cache.ts'
import { run } from '../machine/command.ts'
import { keyOf, keyOfFolder } from '../machine/content-key.ts'
import type { Folders } from '../machine/folders.ts'
import { withLock } from '../machine/lock.ts'
import { type BaseImage, debianImage } from './debian-base.ts'

/** An image as a Dockerfile describes it. */
export interface DockerfileImage {
  /** Full name with tag, `docker.io/library/postgres:15`. */
  readonly name: string
  /** Folder of the files that the Dockerfile copies. All of it counts for the key, so keep it to what is needed. */
  readonly context: string
  /** @default `Dockerfile` in the context */
  readonly dockerfile?: string
  /** `--build-arg` values. */
  readonly buildArgs?: Readonly<Record<string, string>>
  /** Further folders by the name that `COPY --from=` gives them; they count for the key too. */
  readonly contexts?: Readonly<Record<string, string>>
}

/** Builds the image unless the cache has one of the same content; gives its archive. `FROM` may name debianImage only. */
export async function buildDockerfile(folders: Folders, base: BaseImage, image: DockerfileImage): Promise<string> {
  const dockerfile = image.dockerfile ?? join(image.context, 'Dockerfile')
  const buildArgs = Object.entries(image.buildArgs ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const contexts = Object.entries(image.contexts ?? {})
  const inputs = [await keyOfFolder(image.context), await run('cat', [dockerfile]), JSON.stringify(buildArgs)]
  for (const [name, folder] of contexts) inputs.push(name, await keyOfFolder(folder))
  const folder = await cached(folders, cacheName(image.name), keyOf(base.key, image.name, ...inputs), async (out) => {
    const args = [
      ...buildArgs.flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
      ...contexts.flatMap(([name, path]) => ['--build-context', `${name}=${path}`]),
    ]
    await withStore(folders, base, async (buildah) => {
      // With the layers kept, a build whose last lines changed starts at those.
      const from = ['--pull-never', '--layers', '--file', dockerfile]
      await buildah('bud', ...from, ...args, '--tag', image.name, image.context)
      await buildah('push', image.name, `docker-archive:${join(out, 'image.tar')}:${image.name}`)
      // What the name meant before this build.
      await buildah('rmi', '--prune')
    })
  })
  return join(folder, 'image.tar')
}

type Buildah = (...args: readonly string[]) => Promise<string>

/** buildah with a store of its own that holds the base image, for one builder at a time. */
async function withStore(folders: Folders, base: BaseImage, work: (buildah: Buildah) => Promise<void>): Promise<void> {
  const store = await cached(folders, 'buildah', keyOf(base.key, 'overlay'), async (out) => {
    const id = await buildahIn(out)('pull', '--quiet', `docker-archive:${base.archive}`)
    await buildahIn(out)('tag', id.trim(), debianImage)
  })
  await withLock(join(folders.cache, 'locks', 'buildah-store'), 'building an image', async () => {
    const buildah = buildahIn(store)
    // What an aborted build left.
    await buildah('rm', '--all')
    await work(buildah)
  })
}

function buildahIn(store: string): Buildah {
  const folders = ['--root', join(store, 'root'), '--runroot', join(store, 'runroot'), '--storage-driver', 'overlay']
  return (...args) => run('buildah', [...folders, ...args], { env: { BUILDAH_ISOLATION: 'chroot' } })
}

function cacheName(imageName: string): string {
  return `image-${imageName.replace(/^docker\.io\/library\//, '').replace(/[^a-z0-9.-]+/g, '-')}`
}
