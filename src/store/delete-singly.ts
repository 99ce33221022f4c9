import { mapBounded } from '../base/semaphore.ts'
import { storeError } from './errors.ts'
import { checkKey } from './key.ts'
import type { CallOptions } from './object-store.ts'

const atOnce = 16
const batchKeys = 1000

/** For stores without batches: many deletes at once. Goes on behind a key that stays, and then names the first. */
export async function deleteSingly(
  keys: AsyncIterable<string> | Iterable<string>,
  options: CallOptions,
  deleteOne: (key: string, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  let deleted = 0
  const failures: unknown[] = []
  const one = async (key: string, signal: AbortSignal): Promise<void> => {
    try {
      await deleteOne(key, signal)
      deleted++
    } catch (error) {
      signal.throwIfAborted()
      failures.push(error)
    }
  }
  for await (const batch of inBatches(keys)) {
    options.signal?.throwIfAborted()
    await mapBounded(batch, atOnce, one, options.signal)
  }
  const [first] = failures
  if (failures.length === 0) return deleted
  if (failures.length === 1 || !storeError.is(first)) throw first
  // The code is of this room's table: `is` has just said so.
  throw storeError(first.code as keyof typeof storeError.table, `${first.message}; and ${failures.length - 1} more stayed`, {
    cause: first,
  })
}

async function* inBatches(keys: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const key of keys) {
    checkKey(key)
    if (batch.push(key) < batchKeys) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
