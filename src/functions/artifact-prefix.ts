import { posix } from 'node:path'

/**
 * Where Kanister puts the repository of a `backupArtifactPrefix`: if the first segment is the bucket, as it stands, otherwise
 * below the bucket, path-cleaned. The Profile's own prefix has no part in it. Odd input keeps Kanister's odd result
 * (`/b/x` → `b/b/x`), because existing backups are there.
 */
export function resolveArtifactPrefix(bucket: string, prefix: string): string {
  if (prefix.split('/')[0] === bucket) return prefix
  return posix.join(bucket, prefix)
}

/** The same place as a key prefix below the bucket: what an object store wants. Empty when the prefix is the bucket itself. */
export function keyPrefixOf(bucket: string, prefix: string): string {
  const resolved = posix.normalize(resolveArtifactPrefix(bucket, prefix))
  return resolved === bucket ? '' : resolved.slice(bucket.length + 1).replace(/\/+$/, '')
}
