import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { Blueprint } from '../../src/api/blueprint.ts'

/**
 * Blueprints that others published. They are not ours to keep in this repository: tests read them where they lie, in the folder of
 * `HOLDFAST_CORPUS` or beside the checkout, and never change them. A machine without them has none.
 */
const folder = process.env['HOLDFAST_CORPUS'] ?? resolve(import.meta.dirname, '../../../shared/corpus')

export interface PublishedBlueprint {
  /** `kanisterio__blueprints/redis/redis-blueprint.yaml` */
  readonly path: string
  readonly text: string
}

export const publishedFolderExists = existsSync(folder)

/** All of them, in the order of their paths. */
export function publishedBlueprints(): readonly PublishedBlueprint[] {
  if (!publishedFolderExists) return []
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.yaml'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') }))
    .filter(({ text }) => /^kind: *["']?Blueprint/m.test(text))
}

export function findPublishedBlueprint(path: string): PublishedBlueprint | undefined {
  const file = join(folder, path)
  return existsSync(file) ? { path, text: readFileSync(file, 'utf8') } : undefined
}

/** The Blueprint of a file. */
export function blueprintIn(text: string): Blueprint {
  const found = parseAllDocuments(text)
    .map((document) => document.toJS() as Blueprint)
    .find(({ kind }) => kind === 'Blueprint')
  if (!found) throw new Error('there is no Blueprint in this file')
  return found
}
