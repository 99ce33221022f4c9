import { storeError } from './errors.ts'
import { joinKey } from './key.ts'
import { badLocation } from './location/bad-location.ts'
import { openAzure } from './location/open-azure.ts'
import { openFilestore } from './location/open-filestore.ts'
import { openGcs } from './location/open-gcs.ts'
import { openS3 } from './location/open-s3.ts'
import type { Opener, OpenStoreOptions, OpenedStore } from './location/opened-store.ts'
import type { ResolvedProfile } from './profile-json.ts'

export type { OpenStoreOptions, OpenedStore } from './location/opened-store.ts'

/**
 * The bucket of a Profile, from its root: `location.prefix` is not applied, as restic repositories of Kanister are not below it
 * (see `locationKey`). Checks what can be checked without a request; the SDK is loaded by the first call.
 */
export function openStore(profile: ResolvedProfile, options: OpenStoreOptions = {}): OpenedStore {
  const { type, bucket } = profile.location
  // Such a Profile has no bucket.
  if (type === 'kopia') throw badLocation('a Kopia server is not supported; use the object store behind it as s3Compliant')
  const open = openers[type]
  if (open === undefined) {
    throw badLocation(`Unsupported Location type: ${type === '' ? '(empty)' : type}; use ${Object.keys(openers).join(', ')}`)
  }
  if (bucket === '') throw badLocation('location.bucket is empty: name the bucket')
  return open(profile, options)
}

/** The key of a path in the Profile's location, as `kando location` and LocationDelete make it. Empty if both are empty. */
export function locationKey(profile: ResolvedProfile, path: string): string {
  return joinKey(profile.location.prefix, path)
}

/**
 * As `locationKey`, for deletes: the path must name something below the prefix. Neither the whole location nor what is beside it can be
 * meant by a path that came out empty or climbs.
 */
export function locationKeyBelow(profile: ResolvedProfile, path: string): string {
  const prefix = joinKey(profile.location.prefix)
  const key = locationKey(profile, path)
  const below = prefix === '' ? key !== '' : key.startsWith(`${prefix}/`)
  if (joinKey(path) !== '' && below) return key
  throw storeError(
    'STORE_BAD_KEY',
    `refusing to delete the path "${path}" of ${whole(profile)}: it names no object below it; give the path of the backup`,
  )
}

function whole({ location }: ResolvedProfile): string {
  return `bucket "${location.bucket}"${location.prefix === '' ? '' : ` below "${location.prefix}"`}`
}

/** One line for each type of location. */
const openers: Readonly<Record<string, Opener>> = {
  s3Compliant: openS3,
  gcs: openGcs,
  azure: openAzure,
  filestore: openFilestore,
}
