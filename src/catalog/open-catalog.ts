import type { ObjectReference } from '../api/object-reference.ts'
import type { ObjectStore } from '../store/object-store.ts'
import type { CatalogKey } from './catalog-key.ts'

/** The catalog at one location, as one installation sees it. */
export interface Catalog {
  /** The store below the prefix of the location. */
  readonly location: ObjectStore
  readonly key: CatalogKey
  /** Whose backups may be changed; those of others are only read. */
  readonly installation: string
}

/** Opens the catalog at the location of a Profile. Fails as a phase would: Profile or credential missing, location unknown. */
export type OpenCatalog = (profile: ObjectReference, signal: AbortSignal) => Promise<Catalog>
