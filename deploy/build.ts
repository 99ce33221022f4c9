import { chmodSync, cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'
import { installManifest } from '../src/main/install/manifest.ts'

/**
 * Bundles the program: `dist/image` is the context of the Dockerfile, `dist/kubectl-create-actionset` the plugin as one file that
 * runs on the Node of a user's machine (20 or newer), `dist/install.yaml` the manifest.
 *
 * A bundle because one process with all libraries needs 105 MB where the sources need 171, and starts in half the time.
 */
const root = resolve(import.meta.dirname, '..')
const dist = join(root, 'dist')

export async function buildAll(): Promise<string> {
  rmSync(dist, { recursive: true, force: true })
  await Promise.all([bundleEngine(join(dist, 'image/app')), bundlePlugin()])
  copyNode()
  writeNames()
  writeFileSync(join(dist, 'install.yaml'), installManifest())
  return join(dist, 'image')
}

const shim = `import { createRequire as holdfastRequire } from 'node:module'; const require = holdfastRequire(import.meta.url);`

/** Chunks are shared between the program and the thread that the repository starts; both lie beside the kernel, by these names. */
export async function bundleEngine(outdir: string): Promise<void> {
  await build({
    ...common,
    entryPoints: [
      { in: join(root, 'src/main/holdfast.ts'), out: 'holdfast' },
      { in: join(root, 'src/repository/pipeline/thread.ts'), out: 'repository-thread' },
    ],
    outdir,
    splitting: true,
    target: 'node26',
  })
  cpSync(join(root, 'src/repository/kernel/chunker.wasm'), join(outdir, 'chunker.wasm'))
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n')
}

async function bundlePlugin(): Promise<void> {
  const outfile = join(dist, 'kubectl-create-actionset')
  await build({
    ...common,
    banner: { js: `#!/usr/bin/env node\n${shim}` },
    entryPoints: [join(root, 'src/main/kubectl-create-actionset.ts')],
    outfile: `${outfile}.mjs`,
    target: 'node20',
    minify: true,
  })
  // kubectl finds plugins by a name without an ending; Node takes a file without one as CommonJS, so a line of shell starts it.
  writeFileSync(outfile, '#!/bin/sh\nexec node "$(dirname "$(readlink -f "$0")")/kubectl-create-actionset.mjs" "$@"\n')
  chmodSync(outfile, 0o755)
}

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  // Packages that have both: their ES modules, whose names stay names when they are imported lazily.
  mainFields: ['module', 'main'] as string[],
  sourcemap: false,
  legalComments: 'none',
  logLevel: 'warning',
  banner: { js: shim },
} as const

/** The Node that runs this: the one that the lock file pins. */
function copyNode(): void {
  cpSync(process.execPath, join(dist, 'image/node'), { dereference: true })
  chmodSync(join(dist, 'image/node'), 0o755)
}

/**
 * Node as the image starts it. A stream makes many short-lived objects on the main thread: with the default young generation they take 50 MB
 * and no less CPU time. Threads that each have a malloc arena of their own keep some 15 MB that nobody uses.
 */
export const imageNode = { flags: ['--max-semi-space-size=4'], env: { MALLOC_ARENA_MAX: '2' } } as const

/** The names that the program answers to in the image. */
function writeNames(): void {
  const bin = join(dist, 'image/bin')
  mkdirSync(bin, { recursive: true })
  const names = { holdfast: '', kando: ' kando', kanctl: '' }
  const settings = Object.entries(imageNode.env)
    .map(([key, value]) => `export ${key}=${value}`)
    .join('\n')
  for (const [name, command] of Object.entries(names)) {
    writeFileSync(
      join(bin, name),
      `#!/bin/sh\n${settings}\nexec node ${imageNode.flags.join(' ')} /opt/holdfast/holdfast.js${command} "$@"\n`,
    )
    chmodSync(join(bin, name), 0o755)
  }
}

if (import.meta.main) console.log(`built ${await buildAll()}`)
