import type { ObjectReference } from '../api/object-reference.ts'
import type { CallOptions, ObjectStore } from '../store/object-store.ts'
import { linkKey, type ChainPlace } from './chain-store.ts'
import { objectFolder } from './record-key.ts'

const folder = 'holdfast/proofs'

/** `failed`: the backup itself is no good. What could not even be tried proves nothing either way, and is not written down. */
export type ProofState = 'proven' | 'failed'

/**
 * Says where in the chains the proofs of a backup are, so that a listing of ten thousand backups need not read all their chains. It is
 * not signed and proves nothing: the link that it names is to be read.
 */
export interface ProofMark {
  readonly recordId: string
  /** Epoch ms, whole seconds. */
  readonly at: number
  readonly state: ProofState
  /** Key of the link. */
  readonly link: string
}

/** Of one Verification there is one, since there is one link. */
export async function writeProofMark(
  place: Pick<ChainPlace, 'location' | 'installation' | 'object'>,
  { recordId, at, state }: Omit<ProofMark, 'link'>,
  seq: number,
  options: CallOptions = {},
): Promise<void> {
  const time = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const name = `${time}-${state}-${seq}-${encodeURIComponent(place.installation)}`
  const text = `${linkKey(place, seq)}\n`
  await place.location.put(`${folderOf(place.object)}/${encodeURIComponent(recordId)}/${name}`, Buffer.from(text), options)
}

export interface MarksQuestion extends CallOptions {
  readonly namespace?: string
  readonly object?: ObjectReference
}

/** By id of the backup, the newest first. */
export async function listProofMarks(
  location: ObjectStore,
  { namespace, object, ...options }: MarksQuestion = {},
): Promise<ReadonlyMap<string, readonly ProofMark[]>> {
  const ofNamespace = namespace === undefined ? folder : `${folder}/${encodeURIComponent(namespace)}`
  const marks: ProofMark[] = []
  for await (const { key } of location.list(`${object ? folderOf(object) : ofNamespace}/`, options)) {
    const mark = parseMark(key)
    if (mark) marks.push(mark)
  }
  return Map.groupBy(
    marks.toSorted((a, b) => b.at - a.at),
    ({ recordId }) => recordId,
  )
}

/** When the backup is gone. */
export async function removeProofMarks(
  location: ObjectStore,
  object: ObjectReference,
  recordId: string,
  options: CallOptions = {},
): Promise<void> {
  const keys: string[] = []
  for await (const { key } of location.list(`${folderOf(object)}/${encodeURIComponent(recordId)}/`, options)) keys.push(key)
  if (keys.length > 0) await location.deleteMany(keys, options)
}

function folderOf(object: ObjectReference): string {
  return `${folder}/${objectFolder(object)}`
}

/** Undefined for other things that lie there. */
function parseMark(key: string): ProofMark | undefined {
  const match =
    /^holdfast\/proofs\/([^/]+\/[^/]+)\/([^/]+)\/(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-(proven|failed)-(\d{1,10})-([^/]+)$/.exec(
      key,
    )
  if (!match) return undefined
  const [object = '', id = '', year, month, day, hour, minute, second, state, seq = '', installation = ''] = match.slice(1)
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  const recordId = decode(id)
  if (Number.isNaN(at) || recordId === undefined) return undefined
  return {
    recordId,
    at,
    state: state === 'proven' ? 'proven' : 'failed',
    link: `holdfast/chain/${installation}/${object}/${seq.padStart(10, '0')}.json`,
  }
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign: not written by us.
    return undefined
  }
}
