import { flag, object, optional, text, type TypeOf } from '../schema/build.ts'
import { check } from '../schema/check.ts'
import type { CallOptions, ObjectStore } from '../store/object-store.ts'
import { canonicalJson } from './canonical.ts'
import { signatureOf, type CatalogKey } from './catalog-key.ts'
import { catalogError } from './errors.ts'
import type { Catalog } from './open-catalog.ts'

const format = 'holdfast.dev/catalog-takeover'
const folder = 'holdfast/takeovers'
const largestBytes = 64 * 1024

/**
 * That one installation took over the backups of another: from then on it may remove them. Without it, backups of another installation
 * are only read, so that a copy of a cluster, made for a test, never prunes what production keeps.
 */
export const Takeover = object(
  {
    from: text('Installation whose backups they were.'),
    to: text('Installation that took them over.'),
    toCluster: optional(text('UID of its kube-system namespace.')),
    at: text('RFC 3339.'),
    lastWriteAt: optional(text('When the installation before wrote last, as it was seen.')),
    forced: optional(flag('It was taken over though the one before had written a short while ago.')),
  },
  'A takeover.',
)
export type Takeover = TypeOf<typeof Takeover>

/** Later takeovers of the same installation stand beside it, and the newest counts. */
export async function writeTakeover(
  location: ObjectStore,
  takeover: Takeover,
  key: CatalogKey,
  options: CallOptions = {},
): Promise<string> {
  const name = `${folder}/${encodeURIComponent(takeover.from)}/${takeover.at.replaceAll(/[-:]/g, '')}.json`
  const json = JSON.stringify({ format, version: 1, takeover, signature: signatureOf(key, signed(takeover)) }, undefined, 2)
  await location.put(name, Buffer.from(`${json}\n`), { ...options, ifAbsent: true })
  return name
}

/** Oldest first. One that was not signed by one of these keys throws CATALOG_ALTERED. */
export async function readTakeovers(
  location: ObjectStore,
  keys: readonly CatalogKey[],
  options: CallOptions = {},
): Promise<Takeover[]> {
  const found: Takeover[] = []
  for await (const { key } of location.list(`${folder}/`, options)) {
    const text = Buffer.from(await location.get(key, { ...options, limitBytes: largestBytes })).toString()
    found.push(parseTakeover(text, `object "${key}" in ${location.description}`, keys))
  }
  return found.toSorted((a, b) => (a.at < b.at ? -1 : 1))
}

/** Which installation may change the backups of this one: itself, or who took them over last. */
export function ownerOf(installation: string, takeovers: readonly Takeover[]): string {
  let owner = installation
  for (const { from, to } of takeovers) if (from === owner || from === installation) owner = to
  return owner
}

/** Whose backups the installation of this catalog may change now. */
export async function readOwned({ location, key, installation }: Catalog, options: CallOptions = {}): Promise<string[]> {
  return ownedBy(installation, await readTakeovers(location, [key, ...(key.previous ?? [])], options))
}

/** Its own backups, unless somebody took them over, and those that it took over. */
export function ownedBy(installation: string, takeovers: readonly Takeover[]): string[] {
  const others = new Set(takeovers.map(({ from }) => from).filter((each) => each !== installation))
  return [installation, ...others].filter((each) => ownerOf(each, takeovers) === installation)
}

function parseTakeover(json: string, where: string, keys: readonly CatalogKey[]): Takeover {
  const value = readJson(json) as
    | { readonly format?: unknown; readonly takeover?: unknown; readonly signature?: unknown }
    | undefined
  const [finding] = value?.format === format ? check(Takeover, value.takeover) : [{ at: 'format', message: 'is another' }]
  if (!value || finding)
    throw catalogError(
      'CATALOG_BAD_RECORD',
      `${where} is no takeover of a catalog: ${finding?.at ?? ''} ${finding?.message ?? ''}`,
    )
  // `check` has found nothing, so it is one.
  const takeover = value.takeover as Takeover
  if (!keys.some((key) => signatureOf(key, signed(takeover)) === value.signature))
    throw catalogError('CATALOG_ALTERED', `${where} was signed by none of the recovery keys that are here`)
  return takeover
}

function signed(takeover: Takeover): string {
  return `${format} v1 ${canonicalJson(takeover)}`
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
