import { createHash } from 'node:crypto'
import { messageOf, nextOf } from '../base/errors.ts'
import { mapBounded } from '../base/semaphore.ts'
import { type ChainProblem, type Link, parseLink, verifyChain } from '../catalog/chain.ts'
import { findRecordBytes } from '../catalog/list-records.ts'
import { decodePart } from '../catalog/record-key.ts'
import type { RecoveryPlace } from './place.ts'
import type { Backup } from './read-backups.ts'

/** What a chain of an object does not agree with. */
export interface ChainFinding {
  /** `namespace/kind-name`. */
  readonly object: string
  readonly installation: string
  readonly problem: ChainProblem
  /** A record that nothing speaks of yet: the engine adds the link some seconds after the record. */
  readonly young: boolean
}

interface Chain {
  readonly installation: string
  readonly object: string
  readonly links: Link[]
  readonly unreadable: ChainProblem[]
}

const chainsFolder = 'holdfast/chain/'
const largestLinkBytes = 64 * 1024
const readsAtOnce = 16

/**
 * Reads every chain of a place and holds the records against them. Needs a key: signatures are by it. `only`: the chains of this object,
 * as `namespace/kind-name`.
 */
export async function checkChains(
  place: RecoveryPlace,
  backups: readonly Backup[],
  signal: AbortSignal,
  only?: string,
): Promise<ChainFinding[]> {
  const chains = await readChains(place, signal, only)
  const folders = new Map(backups.map((backup) => [backup.key, backup.key.split('/').slice(2, 4).join('/')]))
  const owners = new Map(backups.map((backup) => [backup.key, backup.header?.installation.id ?? '']))
  const hashes = await hashRecords(place, backups, signal)
  for (const { key } of backups) {
    const [object = '', installation = ''] = [folders.get(key), owners.get(key)]
    if (installation !== '' && !chains.some((chain) => chain.object === object && chain.installation === installation))
      chains.push({ object, installation, links: [], unreadable: [] })
  }
  return chains.flatMap(({ object, installation, links, unreadable }) => {
    const linked = new Set(links.map(({ recordKey }) => recordKey))
    const own = [...folders].flatMap(([key, folder]) =>
      folder === object && (owners.get(key) === installation || linked.has(key)) ? [key] : [],
    )
    const records = new Map(own.flatMap((key) => (hashes.has(key) ? [[key, hashes.get(key) ?? ''] as const] : [])))
    const newestMs = Date.parse(links.at(-1)?.at ?? '') || 0
    const isYoung = ({ kind, message }: ChainProblem): boolean =>
      kind === 'unlinked-record' &&
      backups.some(({ key, header }) => message.startsWith(key) && Date.parse(header?.finishedAt ?? '') >= newestMs)
    return [...unreadable, ...verifyChain({ links, records })].map((problem) => ({
      object,
      installation,
      problem,
      young: isYoung(problem),
    }))
  })
}

async function readChains(place: RecoveryPlace, signal: AbortSignal, only: string | undefined): Promise<Chain[]> {
  const chains = new Map<string, Chain>()
  for await (const { key } of place.location.list(chainsFolder, { signal })) {
    const [, installation = '', namespace = '', name = '', file = ''] =
      /^holdfast\/chain\/([^/]+)\/([^/]+)\/([^/]+)\/([^/]+)$/.exec(key) ?? []
    const object = `${namespace}/${name}`
    if (file === '' || (only !== undefined && object !== only)) continue
    const id = `${installation}/${object}`
    const chain = chains.get(id) ?? { installation: decodePart(installation), object, links: [], unreadable: [] }
    chains.set(id, chain)
    try {
      const link = await readLink(place, key, signal)
      // A link that was copied to another place in the chain.
      if (`${String(link.seq).padStart(10, '0')}.json` === file) chain.links.push(link)
      else chain.unreadable.push({ kind: 'broken', message: `${key} holds link ${link.seq}: it was put in this place` })
    } catch (error) {
      signal.throwIfAborted()
      if (nextOf(error) !== 'stop') throw error
      chain.unreadable.push({ kind: 'unreadable', message: messageOf(error) })
    }
  }
  return [...chains.values()]
}

async function readLink(place: RecoveryPlace, key: string, signal: AbortSignal): Promise<Link> {
  const text = Buffer.from(await place.location.get(key, { signal, limitBytes: largestLinkBytes })).toString()
  const where = `object "${key}" in ${place.location.description}`
  for (const [index, one] of place.keys.entries()) {
    try {
      return parseLink(text, where, one.catalog)
    } catch (error) {
      if (index === place.keys.length - 1) throw error
    }
  }
  throw new Error('a chain is read with a key')
}

async function hashRecords(
  place: RecoveryPlace,
  backups: readonly Backup[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  const readOne = async ({ key }: Backup, both: AbortSignal): Promise<void> => {
    const bytes = await findRecordBytes(place.location, key, { signal: both })
    if (bytes) hashes.set(key, createHash('sha256').update(bytes).digest('hex'))
  }
  await mapBounded(backups, readsAtOnce, readOne, signal)
  return hashes
}
