import { createHash } from 'node:crypto'
import { type CatalogTarget, type ImportPlan, planImport } from './import-catalog.ts'
import type { RecoveryPlace } from './place.ts'
import { type Backup, readBackups } from './read-backups.ts'
import { type BackupSelector, selectBackups } from './select-backups.ts'
import { type Writer, writersOf } from './takeover.ts'

export interface ImportRequest extends Omit<CatalogTarget, 'owned'> {
  /** The installation into which it goes. */
  readonly installation: string
  readonly selector?: BackupSelector
}

/** What is in a place, and what an import of it would do. */
export interface PreparedImport {
  /** Records that are meant, readable or not. */
  readonly records: number
  /** Of them, those that only lack a key. */
  readonly locked: number
  /** Who wrote there, whatever was selected. */
  readonly writers: readonly Writer[]
  readonly target: CatalogTarget
  readonly plan: ImportPlan
}

/** Looks and writes nothing; `runImport` does what the plan says. The same for the command line and for a CatalogImport. */
export async function prepareImport(place: RecoveryPlace, request: ImportRequest): Promise<PreparedImport> {
  const { installation, selector = {}, ...into } = request
  const { signal } = request
  const shared = new Shared()
  const all: Backup[] = []
  for await (const backup of readBackups(place, { signal })) all.push(shared.slim(backup))
  const writers = await writersOf(place, all, signal)
  const backups = selectBackups(all, selector)
  const owned = new Set([
    installation,
    ...writers.flatMap((writer) => (writer.owner === installation ? writer.installation : [])),
  ])
  const target = { ...into, owned }
  return {
    records: backups.length,
    locked: backups.filter(({ problem }) => problem?.locked).length,
    writers,
    target,
    plan: await planImport(target, backups),
  }
}

/** Ten thousand records must fit into an operator: manifests and Secrets are of no use here, and Blueprints and Schedules are kept once each. */
class Shared {
  readonly #known = new Map<string, Record<string, unknown>>()

  slim(backup: Backup): Backup {
    if (!backup.record) return backup
    const { manifests: _manifests, images: _images, secrets: _secrets, scheduleManifest, blueprint, ...record } = backup.record
    const { body, action: _action, ...rest } = blueprint
    return {
      ...backup,
      record: {
        ...record,
        blueprint: { ...rest, ...(body ? { body: this.#one(body) } : {}) },
        ...(scheduleManifest ? { scheduleManifest: this.#one(scheduleManifest) } : {}),
      },
    }
  }

  #one(value: Record<string, unknown>): Record<string, unknown> {
    const hash = createHash('sha256').update(JSON.stringify(value)).digest('base64')
    const known = this.#known.get(hash)
    if (!known) this.#known.set(hash, value)
    return known ?? value
  }
}
