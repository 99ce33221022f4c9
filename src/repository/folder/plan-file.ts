import { constants } from 'node:fs'
import { type FileHandle, lstat, open } from 'node:fs/promises'
import type { RepositoryContext } from '../context.ts'
import { repositoryError } from '../errors.ts'
import { type Id, sha256Hex } from '../format/ids.ts'
import type { TreeNode } from '../format/node.ts'
import { rawLength } from '../format/pack-header.ts'

/** A blob of a file and where it belongs. */
export interface FilePart {
  readonly id: Id
  readonly offset: number
  readonly length: number
}

/** What of a file has to be written. */
export interface FilePlan {
  readonly sizeBytes: number
  readonly parts: readonly FilePart[]
  /** Bytes that are there and right. With none, the file is made anew. */
  readonly keptBytes: number
}

/** Node sets times as seconds in a double, which tells microseconds apart. */
const sameTimeNanos = 2_000n

/** Compares what is there with what should be. `right`: nothing is to be done, not even its metadata. */
export async function planFile(
  context: RepositoryContext,
  node: TreeNode,
  path: Buffer,
  existing: 'metadata' | 'content' | 'never',
): Promise<FilePlan | 'right'> {
  const parts = partsOf(context, node, path)
  const whole: FilePlan = { sizeBytes: node.size ?? 0, parts, keptBytes: 0 }
  const stat = await orUndefined(lstat(path, { bigint: true }))
  if (!stat) return whole
  if (existing === 'never') return 'right'
  if (!stat.isFile()) return whole
  // Another name of it may be somebody else's file.
  if (stat.nlink > 1n && (node.links ?? 1) < 2) return whole
  const sameSize = stat.size === BigInt(whole.sizeBytes)
  const apart = stat.mtimeNs > node.mtime ? stat.mtimeNs - node.mtime : node.mtime - stat.mtimeNs
  if (existing === 'metadata' && sameSize && apart <= sameTimeNanos) return 'right'
  const wrong = await wrongParts(path, parts, Number(stat.size))
  const keptBytes = whole.sizeBytes - wrong.reduce((sum, part) => sum + part.length, 0)
  return { sizeBytes: whole.sizeBytes, parts: wrong, keptBytes }
}

function partsOf({ index }: RepositoryContext, node: TreeNode, path: Buffer): FilePart[] {
  const parts: FilePart[] = []
  let offset = 0
  for (const id of node.content ?? []) {
    const location = index.find('data', id)
    if (!location)
      throw repositoryError('REPOSITORY_DAMAGED', `data blob ${id} of ${JSON.stringify(path.toString())} is in no index`)
    const length = rawLength(location)
    parts.push({ id, offset, length })
    offset += length
  }
  if (offset === (node.size ?? 0)) return parts
  throw repositoryError(
    'REPOSITORY_DAMAGED',
    `${JSON.stringify(path.toString())} has ${offset} bytes instead of ${node.size ?? 0}`,
  )
}

async function wrongParts(path: Buffer, parts: readonly FilePart[], size: number): Promise<readonly FilePart[]> {
  const handle = await openToRead(path)
  if (!handle) return parts
  try {
    const wrong: FilePart[] = []
    for (const part of parts) if (part.offset + part.length > size || !(await isRight(handle, part))) wrong.push(part)
    return wrong
  } finally {
    await handle.close()
  }
}

async function isRight(handle: FileHandle, { id, offset, length }: FilePart): Promise<boolean> {
  const bytes = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled)
    if (bytesRead === 0) return false
    filled += bytesRead
  }
  return sha256Hex(bytes) === id
}

/** What cannot be read is written anew. */
async function openToRead(path: Buffer): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw error
  }
}
