import { parseLink } from '../catalog/chain.ts'
import { listProofMarks, type MarksQuestion, type ProofMark } from '../catalog/proof-marks.ts'
import { proofOf, type Proof } from '../catalog/proof.ts'
import { catalogError } from '../catalog/errors.ts'
import { storeError } from '../store/errors.ts'
import type { RecoveryPlace } from './place.ts'

/** What is known of the attempts to restore a backup. */
export interface KnownProof {
  /** The newest. */
  readonly last: Proof
  /** Of the newest that succeeded, epoch ms. */
  readonly lastProvenAt?: number
  /** No key was given to hold it against its signature. */
  readonly unsigned: boolean
}

const readsAtOnce = 16
const largestLinkBytes = 64 * 1024

/**
 * By id of the backup. Of each the link of the newest attempt is read and its signature checked; a mark whose link is gone or was altered
 * counts for nothing. Without a key, what the marks say.
 */
export async function readProofs(place: RecoveryPlace, question: MarksQuestion = {}): Promise<ReadonlyMap<string, KnownProof>> {
  const marks = [...(await listProofMarks(place.location, question))]
  const found = new Map<string, KnownProof>()
  for (let at = 0; at < marks.length; at += readsAtOnce) {
    const batch = marks.slice(at, at + readsAtOnce).map(async ([id, of]) => [id, await readOne(place, of, question)] as const)
    for (const [id, proof] of await Promise.all(batch)) if (proof) found.set(id, proof)
  }
  return found
}

async function readOne(
  place: RecoveryPlace,
  marks: readonly ProofMark[],
  options: MarksQuestion,
): Promise<KnownProof | undefined> {
  const unsigned = place.keys.length === 0
  let last: Proof | undefined
  for (const mark of marks) {
    const proof = unsigned ? mark : await readLink(place, mark, options)
    last ??= proof
    if (last && proof?.state === 'proven') return { last, lastProvenAt: proof.at, unsigned }
  }
  return last && { last, unsigned }
}

async function readLink(
  place: RecoveryPlace,
  { link, recordId }: ProofMark,
  { signal }: MarksQuestion,
): Promise<Proof | undefined> {
  const [current, ...older] = place.keys.map(({ catalog }) => catalog)
  if (!current) return undefined
  try {
    const bytes = await place.location.get(link, { ...(signal ? { signal } : {}), limitBytes: largestLinkBytes })
    const key = { ...current, previous: [...(current.previous ?? []), ...older] }
    const found = parseLink(Buffer.from(bytes).toString(), `object "${link}" in ${place.location.description}`, key)
    return found.kind === 'proof' && found.record === recordId ? proofOf(found) : undefined
  } catch (error) {
    // What is wrong with a chain is said by `backup verify`; here it only proves nothing.
    if (catalogError.is(error, 'CATALOG_ALTERED', 'CATALOG_BAD_RECORD') || storeError.is(error, 'STORE_NOT_FOUND'))
      return undefined
    throw error
  }
}
