import { createHash } from 'node:crypto'
import type { ObjectReference } from '../api/object-reference.ts'
import { messageOf, nextOf } from '../base/errors.ts'
import { storeError } from '../store/errors.ts'
import type { CallOptions, ObjectStore } from '../store/object-store.ts'
import type { CatalogKey } from './catalog-key.ts'
import {
  findSaid,
  nextLink,
  parseLink,
  renderLink,
  verifyChain,
  type ChainProblem,
  type Link,
  type LinkContent,
} from './chain.ts'
import { listRecords } from './list-records.ts'
import { objectFolder } from './record-key.ts'

/** The chain of one object's backups, made by one installation. */
export interface ChainPlace {
  /** The store below the prefix of the location. */
  readonly location: ObjectStore
  readonly installation: string
  readonly object: ObjectReference
  readonly key: CatalogKey
}

/** All chains, below the prefix of the location: `<installation>/<namespace>/<object>/<sequence>`. */
export const chainsFolder = 'holdfast/chain'
const largestLinkBytes = 64 * 1024
const largestRecordBytes = 16 * 1024 * 1024
/** Whoever appends is alone as a rule (the leader); another one may be about to lose its lead. */
const tries = 5

function folderOf({ installation, object }: Pick<ChainPlace, 'installation' | 'object'>): string {
  return `${chainsFolder}/${encodeURIComponent(installation)}/${objectFolder(object)}`
}

/** Where a link is, below the prefix of the location. */
export function linkKey(place: Pick<ChainPlace, 'installation' | 'object'>, seq: number): string {
  return `${folderOf(place)}/${String(seq).padStart(10, '0')}.json`
}

export interface ReadChainOptions extends CallOptions {
  /** Links that were read before, by their place; new ones are added. */
  readonly known?: Map<string, Link>
}

/** All links in order. Throws at the first that cannot be read or was altered. */
export async function readChain(place: ChainPlace, { signal, known }: ReadChainOptions = {}): Promise<Link[]> {
  const options = signal ? { signal } : {}
  const links: Link[] = []
  for await (const { key } of place.location.list(`${folderOf(place)}/`, options)) {
    const where = `${place.location.description} ${key}`
    const link = known?.get(where) ?? (await readLink(place, key, options))
    known?.set(where, link)
    links.push(link)
  }
  return links
}

async function readLink(place: ChainPlace, key: string, options: CallOptions): Promise<Link> {
  const bytes = await place.location.get(key, { ...options, limitBytes: largestLinkBytes })
  return parseLink(Buffer.from(bytes).toString(), `object "${key}" in ${place.location.description}`, place.key)
}

/**
 * Adds a link behind the last one. What one of the newest links says already is not said again, so a repetition after a crash adds nothing.
 * Two who append at once both succeed, one after the other, where the store can refuse to overwrite.
 */
export async function appendLink(place: ChainPlace, content: LinkContent, options: CallOptions = {}): Promise<Link> {
  for (let attempt = 1; ; attempt++) {
    const newest = await readNewest(place, options)
    const said = findSaid(newest, content)
    if (said) return said
    const link = nextLink(newest.at(-1), content)
    try {
      await place.location.put(linkKey(place, link.seq), Buffer.from(renderLink(link, place.key)), {
        ...options,
        ifAbsent: true,
      })
      return link
    } catch (error) {
      if (!storeError.is(error, 'STORE_EXISTS') || attempt === tries) throw error
    }
  }
}

/** A crash is followed by its repetition soon; older links need not be read for that. */
const newestRead = 16

async function readNewest(place: ChainPlace, options: CallOptions): Promise<Link[]> {
  let keys: string[] = []
  for await (const { key } of place.location.list(`${folderOf(place)}/`, options)) keys = [...keys.slice(1 - newestRead), key]
  return await Promise.all(keys.map((key) => readLink(place, key, options)))
}

/** The link that says that a record was written. */
export function recordLink(id: string, recordKey: string, text: Uint8Array, at: string): LinkContent {
  return { kind: 'record', record: id, recordKey, recordSha256: sha256(text), at }
}

/** Reads chain and records of one object and says what does not fit; a store that cannot be read throws. */
export async function checkChain(place: ChainPlace, options: CallOptions = {}): Promise<ChainProblem[]> {
  const links: Link[] = []
  const unreadable: ChainProblem[] = []
  for await (const { key } of place.location.list(`${folderOf(place)}/`, options)) {
    try {
      links.push(await readLink(place, key, options))
    } catch (error) {
      options.signal?.throwIfAborted()
      if (nextOf(error) !== 'stop') throw error
      unreadable.push({ kind: 'unreadable', message: messageOf(error) })
    }
  }
  const records = new Map<string, string>()
  for await (const { key } of listRecords(place.location, { ...options, object: place.object })) {
    const { signal } = options
    records.set(key, sha256(await place.location.get(key, { ...(signal ? { signal } : {}), limitBytes: largestRecordBytes })))
  }
  return [...unreadable, ...verifyChain({ links, records })]
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
