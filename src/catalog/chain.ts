import { createHash } from 'node:crypto'
import { flag, integer, list, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'
import { check } from '../schema/check.ts'
import { canonicalJson } from './canonical.ts'
import { isSigned, signatureOf, type CatalogKey } from './catalog-key.ts'
import { catalogError } from './errors.ts'

const linkFormat = 'holdfast.dev/catalog-link'

export const linkKinds = ['record', 'tombstone', 'pin', 'unpin', 'proof'] as const
export type LinkKind = (typeof linkKinds)[number]

/** How a proof went. Within a link, so nothing of it may be secret. */
export const ProofDetails = object(
  {
    verification: text('Name of the Verification.'),
    uid: text('Its UID: the same proof is told once.'),
    seconds: integer('How long it took.', { minimum: 0 }),
    steps: list(
      object({ name: text('Which.'), state: text('complete, failed or skipped.') }, 'A step.'),
      'What was done, in its order.',
    ),
  },
  'How a proof went.',
)
export type ProofDetails = TypeOf<typeof ProofDetails>

/**
 * One entry in the chain of an object's backups. Each holds the hash of the one before, so that nobody can take one out, put one in or
 * change one without the rest showing it; the signature keeps whoever can write to the bucket from making a chain of their own.
 */
export const Link = object(
  {
    seq: integer('Place in the chain, from 1 on.', { minimum: 1 }),
    previous: text('Hex SHA-256 of the link before; empty at the first.'),
    kind: oneOf(linkKinds, 'What happened to a backup.'),
    record: text('Id of the backup.'),
    recordKey: optional(text('Where its record is, below the prefix of the location.')),
    recordSha256: optional(text('Hex SHA-256 of the record as it was written.')),
    note: optional(text('Why it was pinned or removed, or why it is not proven.')),
    good: optional(flag('Of a proof: whether it succeeded.')),
    proof: optional(ProofDetails),
    at: text('RFC 3339.'),
  },
  'An entry in the chain of an object’s backups.',
)
export type Link = TypeOf<typeof Link>

/** What is to be said of a backup; its place in the chain is found by whoever appends it. */
export type LinkContent = Omit<Link, 'seq' | 'previous'>

export function renderLink(link: Link, key: CatalogKey): string {
  return `${JSON.stringify({ format: linkFormat, version: 1, link, signature: signatureOf(key, signed(link)) }, null, 2)}\n`
}

/** CATALOG_BAD_RECORD for what is no link, CATALOG_ALTERED for one whose signature is not the key's. */
export function parseLink(json: string, where: string, key: CatalogKey): Link {
  const value = parseJson(json) as
    | { readonly format?: unknown; readonly link?: unknown; readonly signature?: unknown }
    | undefined
  if (value?.format !== linkFormat) throw catalogError('CATALOG_BAD_RECORD', `${where} is no link of a catalog`)
  const [finding] = check(Link, value.link)
  if (finding) throw catalogError('CATALOG_BAD_RECORD', `${where} is no link of a catalog: ${finding.at} ${finding.message}`)
  const link = value.link as Link
  if (!isSigned(key, signed(link), value.signature)) {
    throw catalogError('CATALOG_ALTERED', `${where} was not signed by the recovery key with the fingerprint ${key.fingerprint}`)
  }
  return link
}

function signed(link: Link): string {
  return `${linkFormat} v1 ${canonicalJson(link)}`
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** By which the next link names this one. */
export function linkHash(link: Link): string {
  return createHash('sha256').update(signed(link)).digest('hex')
}

export function nextLink(last: Link | undefined, content: LinkContent): Link {
  return { ...content, seq: (last?.seq ?? 0) + 1, previous: last ? linkHash(last) : '' }
}

/** The link among these that says just this already. */
export function findSaid(links: readonly Link[], content: LinkContent): Link | undefined {
  const own = links.filter(({ record }) => record === content.record)
  const { kind, note, proof } = content
  if (kind === 'record' || kind === 'tombstone') return own.find((link) => link.kind === kind)
  if (kind === 'proof') return own.find((link) => link.kind === kind && link.proof?.uid === proof?.uid)
  const last = own.findLast((link) => link.kind === 'pin' || link.kind === 'unpin')
  return last?.kind === kind && last.note === note ? last : undefined
}

/** What the chain says of the backups of an object. */
export interface ChainState {
  /** Of backups that are there, by id, in the order in which they were made. */
  readonly backups: ReadonlyMap<string, BackupState>
  readonly removed: ReadonlySet<string>
}

export interface BackupState {
  readonly record: Link
  /** Why it must stay. */
  readonly pinned?: string
  /** The last time that somebody tried to restore it. */
  readonly proof?: Link
}

export function stateOf(links: readonly Link[]): ChainState {
  const backups = new Map<string, BackupState>()
  const removed = new Set<string>()
  for (const link of links) {
    const known = backups.get(link.record)
    if (link.kind === 'record') backups.set(link.record, { ...known, record: link })
    else if (link.kind === 'tombstone') {
      backups.delete(link.record)
      removed.add(link.record)
    } else if (known) backups.set(link.record, changed(known, link))
  }
  return { backups, removed }
}

function changed(known: BackupState, link: Link): BackupState {
  const { pinned: _pinned, ...rest } = known
  if (link.kind === 'pin') return { ...rest, pinned: link.note ?? 'no reason given' }
  if (link.kind === 'unpin') return rest
  return { ...known, proof: link }
}

/** Something in the bucket that is not as the chain says. */
export interface ChainProblem {
  readonly kind: 'gap' | 'broken' | 'missing-record' | 'altered-record' | 'unlinked-record' | 'unreadable'
  readonly message: string
}

export interface ChainEvidence {
  /** In order of their keys. */
  readonly links: readonly Link[]
  /** Hex SHA-256 of each record that is there, by key. */
  readonly records: ReadonlyMap<string, string>
}

/**
 * What does not fit: links that are missing or follow no other, records that are gone, changed, or that no link speaks of. The newest
 * links can be cut off without a trace in the chain itself; a record that is there without its link, or the other way round, shows it,
 * and so does an engine that remembers the last link.
 */
export function verifyChain({ links, records }: ChainEvidence): ChainProblem[] {
  const problems = links.flatMap((link, index) => problemsOfPlace(link, links[index - 1]))
  const { backups } = stateOf(links)
  for (const { record } of backups.values()) problems.push(...problemsOfRecord(record, records))
  const linked = new Set(links.map(({ recordKey }) => recordKey))
  for (const key of records.keys())
    if (!linked.has(key))
      problems.push({ kind: 'unlinked-record', message: `${key} is there, and no link of the chain speaks of it` })
  return problems
}

function problemsOfPlace(link: Link, before: Link | undefined): ChainProblem[] {
  const expected = (before?.seq ?? 0) + 1
  if (link.seq !== expected) return [{ kind: 'gap', message: `the chain lacks ${named(expected, link.seq - 1)}` }]
  if (link.previous === (before ? linkHash(before) : '')) return []
  return [{ kind: 'broken', message: `link ${link.seq} does not follow link ${link.seq - 1}: one of the two was exchanged` }]
}

function named(from: number, to: number): string {
  return from === to ? `link ${from}` : `links ${from} to ${to}`
}

function problemsOfRecord(
  { recordKey = '', recordSha256, record }: Link,
  records: ReadonlyMap<string, string>,
): ChainProblem[] {
  const found = records.get(recordKey)
  if (found === undefined)
    return [
      {
        kind: 'missing-record',
        message: `the record of backup ${record} (${recordKey}) is gone, and nothing says that it was removed`,
      },
    ]
  if (found === recordSha256) return []
  return [{ kind: 'altered-record', message: `the record of backup ${record} (${recordKey}) is not the one that was written` }]
}
