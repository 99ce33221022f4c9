import type { ObjectReference } from '../../api/object-reference.ts'
import { readChain } from '../../catalog/chain-store.ts'
import { stateOf, type ChainState, type Link } from '../../catalog/chain.ts'
import { readOwned } from '../../catalog/takeover.ts'
import type { Catalog } from '../../catalog/open-catalog.ts'
import { findRecordBytes, listRecords, type ListedRecord } from '../../catalog/list-records.ts'
import { parseHeader } from '../../catalog/record.ts'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import type { CataloguedBackup } from './decide.ts'

/** What was read of a record before: records and links do not change. */
interface Known {
  readonly schedule: string | undefined
  readonly installation: string
}

const mostKnown = 20_000

export interface BackupsQuestion {
  readonly catalog: Catalog
  readonly schedule: string
  /** Objects under the Schedule, by key. */
  readonly objects: ReadonlyMap<string, ScheduledReference>
  readonly now: number
  readonly signal: AbortSignal
}

export interface ScheduledReference {
  readonly object: ObjectReference
  /** Differs when something happened to the backups of this object. */
  readonly stamp: string
}

export interface ReadBackups {
  readonly backups: readonly CataloguedBackup[]
  /** Keys of records that the chain calls removed: the engine was killed before it could. */
  readonly leftovers: readonly string[]
  /** Records that cannot be read. They are nobody's to remove. */
  readonly problems: readonly string[]
}

/** So often an object is looked at although nothing of it changed: others write to a bucket too. */
const lookAgainMs = 3_600_000

/** The backups of a Schedule in the catalog: what this installation wrote for it, of the objects that are under it. */
export class BackupReader {
  readonly #records = new Map<string, Known>()
  readonly #links = new Map<string, Link>()
  /** What was read of an object last. Five hundred objects of which one has a new backup are not all listed anew. */
  readonly #looks = new Map<string, { readonly stamp: string; readonly at: number; readonly found: ReadBackups }>()

  async read(question: BackupsQuestion): Promise<ReadBackups> {
    const all: ReadBackups[] = []
    for (const [objectKey, reference] of question.objects) all.push(await this.#readObject(question, objectKey, reference))
    return {
      backups: all.flatMap(({ backups }) => backups),
      leftovers: all.flatMap(({ leftovers }) => leftovers),
      problems: all.flatMap(({ problems }) => problems),
    }
  }

  /** What was read is not true any more. */
  forget(): void {
    this.#looks.clear()
  }

  /** The same of some objects, but for what is as new as this question. */
  forgetOlder({ schedule, now }: BackupsQuestion, objectKeys: ReadonlySet<string>): void {
    for (const objectKey of objectKeys) {
      const key = keyOf(schedule, objectKey)
      if (this.#looks.get(key)?.at !== now) this.#looks.delete(key)
    }
  }

  async #readObject(question: BackupsQuestion, objectKey: string, { object, stamp }: ScheduledReference): Promise<ReadBackups> {
    const { schedule, now } = question
    const key = keyOf(schedule, objectKey)
    const before = this.#looks.get(key)
    if (before?.stamp === stamp && now - before.at < lookAgainMs) return before.found
    const found = await this.#list(question, objectKey, object)
    this.#looks.set(key, { stamp, at: now, found })
    return found
  }

  async #list(
    { catalog, schedule, signal }: BackupsQuestion,
    objectKey: string,
    object: ObjectReference,
  ): Promise<ReadBackups> {
    const backups: CataloguedBackup[] = []
    const leftovers: string[] = []
    const problems: string[] = []
    if (this.#links.size >= mostKnown) this.#links.clear()
    const owned = await readOwned(catalog, { signal })
    const chains = new Map<string, ChainState>()
    for (const installation of owned) {
      const links = await readChain({ ...catalog, installation, object }, { signal, known: this.#links })
      chains.set(installation, stateOf(links))
    }
    for await (const listed of listRecords(catalog.location, { object, signal })) {
      try {
        const known = await this.#look(catalog, listed, signal)
        const chain = known?.schedule === schedule ? chains.get(known.installation) : undefined
        if (!known || !chain) continue
        if (chain.removed.has(listed.id)) leftovers.push(listed.key)
        const link = chain.backups.get(listed.id)
        // Not linked yet: its Run has just ended, or it is not of this chain. Neither is touched.
        if (!link) continue
        const pinned = link.pinned === undefined ? {} : { pinned: link.pinned }
        backups.push({
          id: listed.id,
          time: listed.startedAt,
          isGood: true,
          objectKey,
          recordKey: listed.key,
          installation: known.installation,
          ...pinned,
        })
      } catch (error) {
        signal.throwIfAborted()
        if (!(error instanceof HoldfastError) || error.next !== 'stop') throw error
        problems.push(messageOf(error))
      }
    }
    return { backups, leftovers, problems }
  }

  async #look(catalog: Catalog, { key }: ListedRecord, signal: AbortSignal): Promise<Known | undefined> {
    const place = `${catalog.location.description} ${key}`
    const before = this.#records.get(place)
    if (before) return before
    const bytes = await findRecordBytes(catalog.location, key, { signal })
    if (!bytes) return undefined
    const { schedule, installation } = parseHeader(Buffer.from(bytes).toString(), `object "${key}"`)
    const known = { schedule, installation: installation.id }
    if (this.#records.size >= mostKnown) this.#records.clear()
    this.#records.set(place, known)
    return known
  }
}

function keyOf(schedule: string, objectKey: string): string {
  return `${schedule} ${objectKey}`
}
