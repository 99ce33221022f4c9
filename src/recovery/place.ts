import { type CatalogKey, deriveCatalogKey } from '../catalog/catalog-key.ts'
import { parseRecoveryKey, recoveryKeyFingerprint } from '../repository/keys/recovery-key.ts'
import type { ObjectStore } from '../store/object-store.ts'

/** A location with backups, and what opens them. A cluster is not needed. */
export interface RecoveryPlace {
  /** From its root: repositories of BackupData are not below the prefix. */
  readonly root: ObjectStore
  /** Below the prefix: records, chain, streams, objects of kando. */
  readonly location: ObjectStore
  readonly bucket: string
  readonly prefix: string
  /** The current one first; older ones open what was written before a rotation. May be empty: then only headers can be read. */
  readonly keys: readonly RecoveryKey[]
  /** Of repositories for which a Blueprint gave its own. */
  readonly passwords: readonly string[]
}

export interface RecoveryKey {
  /** As it is printed. */
  readonly text: string
  readonly catalog: CatalogKey
}

export function recoveryKeyOf(text: string): RecoveryKey {
  return { text, catalog: deriveCatalogKey(parseRecoveryKey(text), recoveryKeyFingerprint(text)) }
}
