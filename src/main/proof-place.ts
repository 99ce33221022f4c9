import type { OpenProofPlace } from '../controllers/verification/place.ts'
import { freezeProfile, resolveProfile } from '../engine/profile.ts'
import { findRecoveryKey } from '../functions/recovery-key.ts'
import type { Kube } from '../kube/kube.ts'
import { recoveryKeyOf } from '../recovery/place.ts'
import { decodeProfile } from '../store/profile-json.ts'
import type { StorePool } from '../store/store-pool.ts'
import { withPrefix } from '../store/with-prefix.ts'
import { catalogKeys } from './catalog-keys.ts'

/** Locations of Profiles as a proof needs them: from their root, with every recovery key that this installation has. */
export function proofPlaceOpener(kube: Kube, namespace: string, installation: string, stores: StorePool): OpenProofPlace {
  const keyNow = catalogKeys(kube, namespace)
  return async (ref, signal) => {
    const profile = decodeProfile(await resolveProfile(kube, await freezeProfile(kube, ref, signal), signal))
    const { bucket, prefix } = profile.location
    const root = stores.open(profile)
    const key = await keyNow(signal)
    const kept = await findRecoveryKey({ kube, namespace, signal })
    const keys = kept ? [kept.key, ...kept.previous.toReversed()].map(recoveryKeyOf) : []
    const place = {
      root,
      location: withPrefix(root, prefix),
      bucket,
      prefix: prefix.replace(/^\/+|\/+$/g, ''),
      keys,
      passwords: [],
    }
    return { place, key, installation }
  }
}
