import { mapBounded } from '../../base/semaphore.ts'
import { storeError } from '../errors.ts'
import type { CallOptions } from '../object-store.ts'
import type { S3Connection } from './connection.ts'
import { headObject } from './head-object.ts'

export const dayMs = 86_400_000
const asksAtOnce = 16
const batchKeys = 1000

/** The fields of a request that makes an object, by which it is locked. */
export function lockFields(connection: S3Connection): {
  readonly ObjectLockMode?: 'GOVERNANCE' | 'COMPLIANCE'
  readonly ObjectLockRetainUntilDate?: Date
} {
  const { retention } = connection.settings
  if (retention === undefined) return {}
  const until = new Date(connection.clock.now() + retention.days * dayMs)
  return { ObjectLockMode: retention.mode, ObjectLockRetainUntilDate: until }
}

/**
 * STORE_LOCKED while the object is under retention. Asked before every delete, since a bucket with versions takes it and hides the object
 * behind a marker: nothing would be gained, and it would be gone for whoever looks for it.
 */
export async function refuseLocked(connection: S3Connection, key: string, options: CallOptions): Promise<void> {
  const until = await lockedUntil(connection, key, options)
  if (until !== undefined) throw locked(connection, `object "${key}"`, until)
}

/** What may be deleted of many keys; the others are noted, to be said when the rest is gone. */
export class UnlockedKeys {
  readonly #connection: S3Connection
  #stayed = 0
  #first = ''
  #latest = 0

  constructor(connection: S3Connection) {
    this.#connection = connection
  }

  async *of(keys: AsyncIterable<string> | Iterable<string>, options: CallOptions): AsyncGenerator<string> {
    const ask = (key: string, signal: AbortSignal) => lockedUntil(this.#connection, key, { signal })
    for await (const batch of inBatches(keys)) {
      const ends = await mapBounded(batch, asksAtOnce, ask, options.signal)
      for (const [index, key] of batch.entries()) {
        const until = ends[index]
        if (until === undefined) yield key
        else this.#note(key, until)
      }
    }
  }

  throwIfOthers(): void {
    if (this.#stayed === 0) return
    const what = this.#stayed === 1 ? `object "${this.#first}"` : `${this.#stayed} objects, the first "${this.#first}",`
    throw locked(this.#connection, what, this.#latest)
  }

  #note(key: string, until: number): void {
    if (this.#stayed++ === 0) this.#first = key
    this.#latest = Math.max(this.#latest, until)
  }
}

async function lockedUntil(connection: S3Connection, key: string, options: CallOptions): Promise<number | undefined> {
  const until = (await headObject(connection, key, options))?.lockedUntil
  return until !== undefined && until > connection.clock.now() ? until : undefined
}

function locked(connection: S3Connection, what: string, until: number): unknown {
  const end = Number.isFinite(until) ? `until ${new Date(until).toISOString()}` : 'by a legal hold'
  return storeError('STORE_LOCKED', `${what} in ${connection.where} stays: locked ${end}; delete it after that`)
}

async function* inBatches(keys: AsyncIterable<string> | Iterable<string>): AsyncGenerator<string[]> {
  let batch: string[] = []
  for await (const key of keys) {
    if (batch.push(key) < batchKeys) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
