import type { OpenCatalog } from '../catalog/open-catalog.ts'
import { freezeProfile, resolveProfile } from '../engine/profile.ts'
import type { Kube } from '../kube/kube.ts'
import { decodeProfile } from '../store/profile-json.ts'
import type { StorePool } from '../store/store-pool.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { catalogKeys } from './catalog-keys.ts'

/** Catalogs at the locations of Profiles, as the installation of this namespace sees them. */
export function catalogOpener(kube: Kube, namespace: string, installation: string, stores: StorePool): OpenCatalog {
  const keyNow = catalogKeys(kube, namespace)
  return async (ref, signal) => {
    const profile = decodeProfile(await resolveProfile(kube, await freezeProfile(kube, ref, signal), signal))
    return { location: withPrefix(stores.open(profile), profile.location.prefix), key: await keyNow(signal), installation }
  }
}
