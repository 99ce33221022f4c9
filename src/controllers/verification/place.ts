import type { ObjectReference } from '../../api/object-reference.ts'
import type { CatalogKey } from '../../catalog/catalog-key.ts'
import type { RecoveryPlace } from '../../recovery/place.ts'

/** The location of a Profile, as this installation opens it. */
export interface ProofPlace {
  readonly place: RecoveryPlace
  /** Signs what was proven. */
  readonly key: CatalogKey
  readonly installation: string
}

/** Fails as a phase would: Profile or credential missing, location unknown. */
export type OpenProofPlace = (profile: ObjectReference, signal: AbortSignal) => Promise<ProofPlace>
