import { mapBounded } from '../base/semaphore.ts'
import { HoldfastError } from '../base/errors.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { packKey } from './files.ts'
import { type Id, shortId } from './format/ids.ts'
import type { IndexedPack } from './format/index-file.ts'
import { headerLengthBytes, maxHeaderBytes, packSize, parseHeader } from './format/pack-header.ts'
import { sealOverhead } from './format/seal.ts'

/**
 * What packs hold that an interrupted backup stored but no index lists yet: read from their headers. Packs that are gone or not as their header
 * says are passed over; their blobs are then stored again.
 */
export async function adoptPacks(context: RepositoryContext, ids: readonly Id[], signal: AbortSignal): Promise<IndexedPack[]> {
  const wanted = ids.filter((id) => !context.index.blobs.hasPack(id) && !context.index.markedPacks.has(id))
  const packs = await mapBounded(wanted, 8, (id, both) => readPack(context, id, both), signal)
  return packs.filter((pack) => pack !== undefined)
}

async function readPack(context: RepositoryContext, id: Id, signal: AbortSignal): Promise<IndexedPack | undefined> {
  try {
    const { blobs, sizeBytes } = await readPackHeader(context, id, signal)
    return packSize(blobs) === sizeBytes ? { id, blobs } : undefined
  } catch (error) {
    if (repositoryError.is(error) || (error instanceof HoldfastError && error.code === 'STORE_NOT_FOUND')) return undefined
    throw error
  }
}

/** The header of a pack by two or three small requests. */
export async function readPackHeader(
  { store, sealer }: RepositoryContext,
  id: Id,
  signal: AbortSignal,
): Promise<IndexedPack & { readonly sizeBytes: number }> {
  const what = `pack ${shortId(id)}`
  const head = await store.head(packKey(id), { signal })
  if (!head || head.sizeBytes < headerLengthBytes + sealOverhead)
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: is missing or too short`)
  const { sizeBytes } = head
  const tailBytes = Math.min(sizeBytes, 16_384)
  const tail = Buffer.from(await store.get(packKey(id), { offset: sizeBytes - tailBytes, length: tailBytes, signal }))
  const length = tail.readUInt32LE(tailBytes - headerLengthBytes)
  if (length > maxHeaderBytes || length + headerLengthBytes > sizeBytes)
    throw repositoryError('REPOSITORY_DAMAGED', `${what}: the length of its header is impossible`)
  const start = sizeBytes - headerLengthBytes - length
  const sealed =
    length + headerLengthBytes <= tailBytes
      ? tail.subarray(tailBytes - headerLengthBytes - length, tailBytes - headerLengthBytes)
      : await store.get(packKey(id), { offset: start, length, signal })
  return { id, sizeBytes, blobs: parseHeader(sealer.open(sealed, what), what) }
}
