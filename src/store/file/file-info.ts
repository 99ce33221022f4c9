import type { BigIntStats } from 'node:fs'
import type { ObjectInfo } from '../object-store.ts'

/** A replaced object is another file: its inode or its time differs. */
export function infoOf(key: string, stats: BigIntStats): ObjectInfo {
  return {
    key,
    sizeBytes: Number(stats.size),
    etag: `"${stats.ino.toString(16)}-${stats.mtimeNs.toString(16)}-${stats.size.toString(16)}"`,
    modified: Number(stats.mtimeMs),
  }
}
