import type { FinishedBackup } from '../catalog/build-record.ts'
import { decodeProfile } from '../store/profile-json.ts'
import { paramsOf, type Attempt } from './attempt.ts'
import { freezeProfile, resolveProfile } from './profile.ts'

/** Where the record of an action goes: to the location of its Profile; to that of the engine's own when it names none. */
export async function catalogOf(
  attempt: Attempt,
  signal: AbortSignal,
): Promise<Pick<FinishedBackup, 'profile' | 'defaultProfile'>> {
  const { spec, deps } = attempt
  if (spec.action.profile) return { profile: decodeProfile(paramsOf(attempt).Profile) }
  const { kube, defaultProfile } = deps
  if (!defaultProfile)
    throw new Error('the action names no Profile and the engine has no default one (setting HOLDFAST_DEFAULT_PROFILE)')
  const frozen = await freezeProfile(kube, defaultProfile, signal)
  return { profile: decodeProfile(await resolveProfile(kube, frozen, signal)), defaultProfile }
}
