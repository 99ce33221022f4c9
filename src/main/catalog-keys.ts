import { deriveCatalogKey, type CatalogKey } from '../catalog/catalog-key.ts'
import { findRecoveryKey } from '../functions/recovery-key.ts'
import { RepositoryKeys } from '../functions/repository-keys.ts'
import type { Kube } from '../kube/kube.ts'
import { parseRecoveryKey, recoveryKeyFingerprint } from '../repository/keys/recovery-key.ts'

/** The keys of the catalog from a recovery key as it is printed, and from those that it has replaced. */
export function catalogKeyOf(recoveryKey: string, previous: readonly string[] = []): CatalogKey {
  const key = deriveCatalogKey(parseRecoveryKey(recoveryKey), recoveryKeyFingerprint(recoveryKey))
  return previous.length === 0 ? key : { ...key, previous: previous.map((each) => catalogKeyOf(each)) }
}

/** From the recovery key of the installation as it is now: one that was exchanged counts from the next record on. */
export function catalogKeys(kube: Pick<Kube, 'resource'>, namespace: string): (signal: AbortSignal) => Promise<CatalogKey> {
  const keys = new RepositoryKeys(kube, namespace)
  return async (signal) => {
    const found = await findRecoveryKey({ kube, namespace, signal })
    return found ? catalogKeyOf(found.key, found.previous) : catalogKeyOf(await keys.recoveryKey(signal))
  }
}
