import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from '../machine/cache.ts'
import { hasProgram, run } from '../machine/command.ts'
import { keyOf, keyOfFolder } from '../machine/content-key.ts'
import type { Folders } from '../machine/folders.ts'

interface GoProgram {
  /** Package to build, as seen from the program's folder beside this file. */
  readonly source: string
  readonly ldflags: string
}

const kubernetes = 'v1.34.4'
const stamp = 'k8s.io/component-base/version'

const programs = {
  kubenode: {
    source: '.',
    ldflags: `-s -w -X ${stamp}.gitVersion=${kubernetes} -X ${stamp}.gitMajor=1 -X ${stamp}.gitMinor=34 -X ${stamp}.gitTreeState=clean`,
  },
  coredns: { source: '.', ldflags: '-s -w' },
  versitygw: { source: 'github.com/versity/versitygw/cmd/versitygw', ldflags: '-s -w' },
  pause: { source: '.', ldflags: '-s -w' },
  'open-volumes': { source: '.', ldflags: '-s -w' },
} as const satisfies Record<string, GoProgram>

/** Those that no cluster needs, only some tests. */
const testPrograms = {
  'fake-gcs-server': { source: 'github.com/fsouza/fake-gcs-server', ldflags: '-s -w' },
} as const satisfies Record<string, GoProgram>

export type GoProgramName = keyof typeof programs

/** Paths of the built programs. */
export type GoPrograms = Readonly<Record<GoProgramName, string>>

/** Builds what is not in the cache, one after the other: the Go compiler takes all cores by itself. */
export async function ensureGoPrograms(folders: Folders): Promise<GoPrograms> {
  const paths: Partial<Record<GoProgramName, string>> = {}
  for (const name of Object.keys(programs) as GoProgramName[]) paths[name] = await ensure(folders, name, programs[name])
  return paths as GoPrograms
}

/** Builds one that only tests need, unless it is in the cache; gives its path. */
export async function ensureTestProgram(folders: Folders, name: keyof typeof testPrograms): Promise<string> {
  return ensure(folders, name, testPrograms[name])
}

async function ensure(folders: Folders, name: string, { source, ldflags }: GoProgram): Promise<string> {
  const folder = sourceFolder(name)
  const key = keyOf(await keyOfFolder(folder), source, ldflags, process.arch)
  const built = await cached(folders, name, key, async (out) => {
    await requireGo()
    await run('nice', ['go', 'build', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', join(out, name), source], {
      cwd: folder,
      // Static programs; the module proxy and caches are as the machine's Go is set up.
      env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
    })
  })
  return join(built, name)
}

async function requireGo(): Promise<void> {
  if (!(await hasProgram('go'))) {
    throw new Error('Go is needed to build the test cluster: install Go 1.26 or newer (https://go.dev/dl) and put it in PATH')
  }
}

function sourceFolder(name: string): string {
  return fileURLToPath(new URL(`./${name}`, import.meta.url))
}
