import { posix } from 'node:path'
import { functionError } from './errors.ts'

/**
 * Where Kanister puts the repository of a `backupArtifactPrefix`: if the first segment is the bucket, as it stands, otherwise
 * below the bucket, path-cleaned. The Profile's own prefix has no part in it. Odd input keeps Kanister's odd result
 * (`/b/x` → `b/b/x`), because existing backups are there.
 */
export function resolveArtifactPrefix(bucket: string, prefix: string): string {
  if (prefix.split('/')[0] === bucket) return prefix
  return posix.join(bucket, prefix)
}

/**
 * The same place as a key prefix below the bucket: what an object store wants. Empty when the prefix is the bucket itself. FUNCTION_BAD_ARGS for one
 * that climbs out: Kanister would work in another bucket there.
 */
export function keyPrefixOf(bucket: string, prefix: string): string {
  const key = findKeyPrefix(bucket, prefix)
  if (key !== undefined) return key
  throw functionError(
    'FUNCTION_BAD_ARGS',
    `the prefix "${prefix}" leads out of bucket "${bucket}"; name a path below it, without ".."`,
  )
}

/** Undefined for a prefix that leads out of the bucket. */
export function findKeyPrefix(bucket: string, prefix: string): string | undefined {
  const resolved = `${posix.normalize(resolveArtifactPrefix(bucket, prefix))}/`
  return resolved.startsWith(`${bucket}/`) ? resolved.slice(bucket.length + 1).replace(/\/+$/, '') : undefined
}

/** The path that an `artifact` of LocationDelete names, below the Profile's location. The bucket is cut off as a whole word only: of bucket `b`, `bc/d` is a path. */
export function artifactPath(artifact: string, bucket: string): string {
  const plain = artifact.trim().replace(/^s3:\/\//, '')
  if (plain === bucket) return ''
  return plain.startsWith(`${bucket}/`) ? plain.slice(bucket.length + 1) : plain
}
