import { join } from 'node:path'
import { FileStore } from '../file-store.ts'
import type { ResolvedProfile } from '../profile-json.ts'
import { badLocation } from './bad-location.ts'
import type { OpenStoreOptions, OpenedStore } from './opened-store.ts'

const mountedBelow = '/filestores'

/**
 * `location.bucket` names a volume that is mounted below one folder. Only a name: whoever may write a Profile must not thereby choose
 * any path of the engine's own file system.
 */
export function openFilestore({ location }: ResolvedProfile, { filestores = mountedBelow }: OpenStoreOptions): OpenedStore {
  const name = location.bucket
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(name)) {
    throw badLocation(
      `location.bucket "${name}" is not the name of a volume mounted below ${mountedBelow}: a name without slashes`,
    )
  }
  if (location.objectLock !== undefined) throw badLocation('location.objectLock is for s3Compliant; a filestore cannot lock')
  return new FileStore(join(filestores, name))
}
