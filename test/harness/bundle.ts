import { cpSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

const root = resolve(import.meta.dirname, '../..')

/** The program as the image has it, without the threads of the repository. Gives the file to run. */
export async function bundleProgram(outdir: string): Promise<string> {
  await build({
    entryPoints: { holdfast: join(root, 'src/main/holdfast.ts') },
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    splitting: true,
    target: 'node26',
    outdir,
    logLevel: 'warning',
    banner: {
      js: `import { createRequire as holdfastRequire } from 'node:module'; const require = holdfastRequire(import.meta.url);`,
    },
  })
  cpSync(join(root, 'src/repository/kernel/chunker.wasm'), join(outdir, 'chunker.wasm'))
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n')
  return join(outdir, 'holdfast.js')
}
