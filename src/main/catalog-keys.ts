import { deriveCatalogKey, type CatalogKey } from '../catalog/catalog-key.ts'
import { RepositoryKeys } from '../functions/repository-keys.ts'
import type { Kube } from '../kube/kube.ts'
import { parseRecoveryKey, recoveryKeyFingerprint } from '../repository/keys/recovery-key.ts'

/** The keys of the catalog from a recovery key as it is printed. */
export function catalogKeyOf(recoveryKey: string): CatalogKey {
  return deriveCatalogKey(parseRecoveryKey(recoveryKey), recoveryKeyFingerprint(recoveryKey))
}

/** From the recovery key of the installation as it is now: one that was exchanged counts from the next record on. */
export function catalogKeys(kube: Pick<Kube, 'resource'>, namespace: string): (signal: AbortSignal) => Promise<CatalogKey> {
  const keys = new RepositoryKeys(kube, namespace)
  return async (signal) => catalogKeyOf(await keys.recoveryKey(signal))
}
