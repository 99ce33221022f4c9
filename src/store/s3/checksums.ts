import type { S3Connection } from './connection.ts'
import { bodyOf, checksumText, payloadOf, signedWith } from './payload.ts'
import type { ChecksumMode } from './settings.ts'
import { refusesChecksum } from './translate-error.ts'

/**
 * Whether this endpoint takes `x-amz-checksum-sha256`, decided once per connection. Stores that do not know the header refuse whole
 * requests, each in words of its own, and not all do so at the first request of an upload in parts.
 */
export class Checksums {
  #use: boolean | undefined
  #probing: Promise<boolean> | undefined

  constructor(mode: ChecksumMode) {
    this.#use = mode === 'auto' ? undefined : mode === 'required'
  }

  /** Runs a write that can be repeated: where nothing is known yet, with the checksum and, if that is refused, without. */
  async write<T>(send: (useChecksum: boolean) => Promise<T>): Promise<T> {
    if (this.#use !== undefined) return send(this.#use)
    try {
      const result = await send(true)
      this.#use ??= true
      return result
    } catch (error) {
      if (!refusesChecksum(error)) throw error
      const result = await send(false)
      this.#use = false
      return result
    }
  }

  /** For uploads whose parts cannot be taken back: finds out first, by a tiny upload that is aborted and so leaves nothing. */
  async decide(connection: S3Connection, key: string, signal: AbortSignal): Promise<boolean> {
    if (this.#use !== undefined) return this.#use
    this.#probing ??= probe(connection, key, signal).finally(() => (this.#probing = undefined))
    this.#use = await this.#probing
    return this.#use
  }
}

async function probe(connection: S3Connection, key: string, signal: AbortSignal): Promise<boolean> {
  const { bucket: Bucket } = connection
  const target = { Bucket, Key: key }
  let uploadId: string | undefined
  try {
    const created = await connection.send(
      `checksum probe at "${key}"`,
      (client, sdk, abortSignal) =>
        client.send(new sdk.CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'SHA256' }), { abortSignal }),
      { signal },
    )
    uploadId = created.UploadId
    const payload = payloadOf(Buffer.from('holdfast'))
    const part = {
      ...target,
      UploadId: uploadId,
      PartNumber: 1,
      Body: bodyOf(payload),
      ChecksumSHA256: checksumText(payload.sha256),
    }
    await connection.send(
      `checksum probe at "${key}"`,
      (client, sdk, abortSignal) => client.send(signedWith(new sdk.UploadPartCommand(part), payload.sha256), { abortSignal }),
      { signal },
    )
    return true
  } catch (error) {
    if (refusesChecksum(error)) return false
    throw error
  } finally {
    if (uploadId !== undefined) await abortProbe(connection, key, uploadId)
  }
}

async function abortProbe(connection: S3Connection, key: string, uploadId: string): Promise<void> {
  const input = { Bucket: connection.bucket, Key: key, UploadId: uploadId }
  try {
    await connection.send('abort of the checksum probe', (client, sdk, abortSignal) =>
      client.send(new sdk.AbortMultipartUploadCommand(input), { abortSignal }),
    )
  } catch {
    // What stays is an upload of 8 bytes; the write that follows says why the store is unwell.
  }
}
