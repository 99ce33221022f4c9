import { toRfc3339 } from '../base/clock.ts'
import type { CallOptions } from '../store/object-store.ts'
import { appendLink, linkKey, type ChainPlace } from './chain-store.ts'
import type { Link, LinkContent, ProofDetails } from './chain.ts'
import { writeProofMark, type ProofState } from './proof-marks.ts'

/** That somebody tried to restore a backup, and how it went. */
export interface Proof {
  /** Id of the backup. */
  readonly recordId: string
  /** When it ended, epoch ms. */
  readonly at: number
  readonly state: ProofState
  /** Why it failed. Stands readable in the bucket: no secrets. */
  readonly message?: string
  /** Absent where whoever wrote the link gave none. */
  readonly details?: ProofDetails
}

const longestNote = 1_000

/**
 * Tells the result of a proof in the chain of its object and gives the key of the link. `place.installation` is the one that proved it, also
 * when the backup is another's: nobody writes into the chain of somebody else. The same Verification (by its UID) is told once.
 */
export async function writeProof(
  place: ChainPlace,
  proof: Proof & { readonly details: ProofDetails },
  options: CallOptions = {},
): Promise<string> {
  // Told before, as by an engine that was killed then: the mark is of the time that the link names.
  const { seq, at } = await appendLink(place, linkOf(proof), options)
  await writeProofMark(place, { ...proof, at: Date.parse(at) }, seq, options)
  return linkKey(place, seq)
}

function linkOf({ recordId, at, state, message, details }: Proof): LinkContent {
  return {
    kind: 'proof',
    record: recordId,
    good: state === 'proven',
    ...(message ? { note: message.slice(0, longestNote) } : {}),
    ...(details ? { proof: details } : {}),
    at: toRfc3339(at),
  }
}

/** What became of the attempts to restore one backup. */
export interface ProofHistory {
  readonly last: Proof
  /** The last that succeeded; the same as `last` while all is well. */
  readonly lastProven?: Proof
}

/** By id of the backup. The links of an object may come from the chains of several installations, in any order. */
export function proofsOf(links: Iterable<Link>): ReadonlyMap<string, ProofHistory> {
  const found = new Map<string, ProofHistory>()
  for (const link of links) {
    if (link.kind !== 'proof') continue
    const proof = proofOf(link)
    const { last, lastProven } = found.get(proof.recordId) ?? { last: proof }
    const proven = proof.state === 'proven' ? newer(lastProven, proof) : lastProven
    found.set(proof.recordId, { last: newer(last, proof), ...(proven ? { lastProven: proven } : {}) })
  }
  return found
}

/** How the newest attempt to restore a backup went; undefined when nobody ever tried. */
export function lastProof(links: Iterable<Link>, recordId: string): Proof | undefined {
  return proofsOf(links).get(recordId)?.last
}

function newer(known: Proof | undefined, other: Proof): Proof {
  return known && known.at > other.at ? known : other
}

/** What a link of kind `proof` says. */
export function proofOf({ record, at, good, note, proof }: Link): Proof {
  return {
    recordId: record,
    at: Date.parse(at),
    state: good === true ? 'proven' : 'failed',
    ...(note === undefined ? {} : { message: note }),
    ...(proof ? { details: proof } : {}),
  }
}
