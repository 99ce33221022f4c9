import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { derivedFiles } from './derived-files.ts'

/**
 * Writes every file that is derived from a declaration: CRDs, rights, reference pages. `--check` writes nothing, names the stale
 * ones and exits with 1.
 */
const root = resolve(import.meta.dirname, '../..')
const checkOnly = process.argv.includes('--check')
const stale = derivedFiles().filter(({ path, text }) => read(join(root, path)) !== text)

for (const { path, text } of stale) {
  if (checkOnly) {
    console.error(`${path} is stale: run npm run generate`)
    continue
  }
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
  console.log(`wrote ${path}`)
}
process.exitCode = checkOnly && stale.length > 0 ? 1 : 0

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // A file that is not there is stale.
  }
}
