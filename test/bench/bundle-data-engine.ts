import { cpSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { build } from 'esbuild'

/** data-engine.ts as one bundle with its thread and kernel beside it, as the image has them: sources would cost 0.35 CPU s a run in types alone. */
export async function bundleDataEngine(outdir: string): Promise<string> {
  const root = resolve(import.meta.dirname, '../..')
  const shim = `import { createRequire as holdfastRequire } from 'node:module'; const require = holdfastRequire(import.meta.url);`
  await build({
    entryPoints: [
      { in: join(root, 'test/bench/data-engine.ts'), out: 'data-engine' },
      { in: join(root, 'src/repository/pipeline/thread.ts'), out: 'repository-thread' },
    ],
    outdir,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node26',
    mainFields: ['module', 'main'],
    banner: { js: shim },
    logLevel: 'warning',
  })
  cpSync(join(root, 'src/repository/kernel/chunker.wasm'), join(outdir, 'chunker.wasm'))
  writeFileSync(join(outdir, 'package.json'), '{ "type": "module" }\n')
  return join(outdir, 'data-engine.js')
}
