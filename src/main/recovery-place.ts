import type { OpenPlace } from '../controllers/catalog-import/controller.ts'
import { freezeProfile, resolveProfile } from '../engine/profile.ts'
import { findRecoveryKey } from '../functions/recovery-key.ts'
import type { Kube } from '../kube/kube.ts'
import { type RecoveryKey, recoveryKeyOf } from '../recovery/place.ts'
import { decodeProfile } from '../store/profile-json.ts'
import type { StorePool } from '../store/store-pool.ts'
import { withPrefix } from '../store/with-prefix.ts'

/** Places at the locations of Profiles, opened by the keys of the installation of this namespace. */
export function placeOpener(kube: Kube, namespace: string, stores: StorePool): OpenPlace {
  return async (ref, signal) => {
    const profile = decodeProfile(await resolveProfile(kube, await freezeProfile(kube, ref, signal), signal))
    const { bucket, prefix } = profile.location
    const root = stores.open(profile)
    return {
      root,
      location: withPrefix(root, prefix),
      bucket,
      prefix: prefix.replace(/^\/+|\/+$/g, ''),
      keys: await keptKeys(kube, namespace, signal),
      passwords: [],
    }
  }
}

/** The recovery key of the installation and those before it; none where none was made or imported yet. */
export async function keptKeys(kube: Kube, namespace: string, signal: AbortSignal): Promise<RecoveryKey[]> {
  const found = await findRecoveryKey({ kube, namespace, signal })
  return found ? [found.key, ...found.previous.toReversed()].map(recoveryKeyOf) : []
}
