import type { CompletedPart } from '@aws-sdk/client-s3'
import { withCleanupSignal } from '../../base/deadline.ts'
import { storeError } from '../errors.ts'
import type { S3Connection } from './connection.ts'
import { type Payload, bodyOf, checksumText, signedWith } from './payload.ts'
import { type LeftPart, findLeftUpload, isSamePart } from './left-upload.ts'
import { lockFields } from './retention.ts'

const abortTries = 3

export interface StartOptions {
  readonly useChecksum: boolean
  /** The object comes under the retention of the connection, if there is one. */
  readonly retain: boolean
  readonly signal: AbortSignal
}

/** One upload in parts. Nothing is visible before `complete`; `abort` leaves nothing. */
export class MultipartUpload {
  readonly key: string
  readonly #connection: S3Connection
  readonly #id: string
  readonly #useChecksum: boolean
  readonly #parts: CompletedPart[] = []
  /** Parts of an earlier process, by number. */
  readonly #left = new Map<number, LeftPart>()
  #sizeBytes = 0

  private constructor(connection: S3Connection, key: string, id: string, useChecksum: boolean) {
    this.#connection = connection
    this.key = key
    this.#id = id
    this.#useChecksum = useChecksum
  }

  static async start(
    connection: S3Connection,
    key: string,
    { useChecksum, retain, signal }: StartOptions,
  ): Promise<MultipartUpload> {
    const input = {
      Bucket: connection.bucket,
      Key: key,
      ...(useChecksum ? { ChecksumAlgorithm: 'SHA256' as const } : {}),
      ...(retain ? lockFields(connection) : {}),
    }
    const { UploadId } = await connection.send(
      `start of the upload of object "${key}"`,
      (client, sdk, abortSignal) => client.send(new sdk.CreateMultipartUploadCommand(input), { abortSignal }),
      { signal },
    )
    if (!UploadId)
      throw storeError('STORE_UNAVAILABLE', `${connection.where} started an upload of "${key}" without giving its id`)
    return new MultipartUpload(connection, key, UploadId, useChecksum)
  }

  /**
   * The latest upload of this key that somebody left, with what the store has of it. Undefined when there is none, or it cannot be asked
   * for, or it takes other checksums.
   */
  static async find(
    connection: S3Connection,
    key: string,
    useChecksum: boolean,
    signal: AbortSignal,
  ): Promise<MultipartUpload | undefined> {
    const left = await findLeftUpload(connection, key, useChecksum, signal)
    if (left === undefined) return undefined
    const upload = new MultipartUpload(connection, key, left.id, useChecksum)
    for (const [number, part] of left.parts) upload.#left.set(number, part)
    return upload
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  get partCount(): number {
    return this.#parts.length
  }

  async uploadPart(partNumber: number, payload: Payload, signal: AbortSignal): Promise<void> {
    const input = {
      ...this.#target(),
      PartNumber: partNumber,
      Body: bodyOf(payload),
      ...(this.#useChecksum ? { ChecksumSHA256: checksumText(payload.sha256) } : {}),
    }
    const left = this.#left.get(partNumber)
    if (left && isSamePart(left, payload)) {
      this.#keep({
        PartNumber: partNumber,
        ETag: left.etag,
        ...(this.#useChecksum ? { ChecksumSHA256: input.ChecksumSHA256 } : {}),
      })
      this.#sizeBytes += payload.bytes.length
      return
    }
    const { ETag } = await this.#connection.send(
      `part ${partNumber} of object "${this.key}"`,
      (client, sdk, abortSignal) => client.send(signedWith(new sdk.UploadPartCommand(input), payload.sha256), { abortSignal }),
      { signal, patient: true },
    )
    this.#keep({ PartNumber: partNumber, ETag, ...(this.#useChecksum ? { ChecksumSHA256: input.ChecksumSHA256 } : {}) })
    this.#sizeBytes += payload.bytes.length
  }

  /** Takes a whole object of the same bucket as a part: the bytes move inside of the store. */
  async copyPart(partNumber: number, sourceKey: string, sizeBytes: number, signal: AbortSignal): Promise<void> {
    const source = [this.#connection.bucket, ...sourceKey.split('/')].map(encodeURIComponent).join('/')
    const { CopyPartResult: copied } = await this.#connection.send(
      `copy of "${sourceKey}" into part ${partNumber} of object "${this.key}"`,
      (client, sdk, abortSignal) =>
        client.send(new sdk.UploadPartCopyCommand({ ...this.#target(), PartNumber: partNumber, CopySource: source }), {
          abortSignal,
        }),
      { signal, patient: true },
    )
    const checksum = this.#useChecksum && copied?.ChecksumSHA256 ? { ChecksumSHA256: copied.ChecksumSHA256 } : {}
    this.#keep({ PartNumber: partNumber, ETag: copied?.ETag, ...checksum })
    this.#sizeBytes += sizeBytes
  }

  /** Publishes the object. An answer that was lost is settled by looking: the object is there, with the right length, or not. */
  async complete(signal: AbortSignal): Promise<string | undefined> {
    const parts = this.#parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0))
    let tries = 0
    try {
      const { ETag } = await this.#connection.send(
        `completion of object "${this.key}"`,
        (client, sdk, abortSignal) => {
          tries++
          const input = { ...this.#target(), MultipartUpload: { Parts: parts } }
          return client.send(new sdk.CompleteMultipartUploadCommand(input), { abortSignal })
        },
        { signal, patient: true },
      )
      return ETag
    } catch (error) {
      if (tries > 1 && storeError.is(error, 'STORE_NOT_FOUND')) return this.#published(error, signal)
      throw error
    }
  }

  /**
   * Uses a signal of its own, since it follows on aborts. Throws if the upload may still be there. A part whose request was cut off may
   * still be stored by the server afterwards and bring the upload back, so it is looked at once more.
   */
  async abort(): Promise<void> {
    const { cleanupMs } = this.#connection.timing
    await withCleanupSignal(`abort of the upload of "${this.key}"`, cleanupMs, async (signal) => {
      for (let tries = 0; tries < abortTries; tries++) {
        await this.#abortOnce(signal)
        if (await this.#isGone(signal)) return
      }
    })
  }

  async #abortOnce(signal: AbortSignal): Promise<void> {
    try {
      await this.#connection.send(
        `abort of the upload of object "${this.key}"`,
        (client, sdk, abortSignal) => client.send(new sdk.AbortMultipartUploadCommand(this.#target()), { abortSignal }),
        { signal, patient: true },
      )
    } catch (error) {
      if (!storeError.is(error, 'STORE_NOT_FOUND')) throw error
    }
  }

  async #isGone(signal: AbortSignal): Promise<boolean> {
    try {
      await this.#connection.once(
        `check of the upload of object "${this.key}"`,
        (client, sdk, abortSignal) =>
          client.send(new sdk.ListPartsCommand({ ...this.#target(), MaxParts: 1 }), { abortSignal }),
        signal,
      )
      return false
    } catch (error) {
      signal.throwIfAborted()
      // Gone; or it cannot be asked (no right to list parts, a break), and the abort itself was confirmed.
      return storeError.is(error)
    }
  }

  async #published(error: unknown, signal: AbortSignal): Promise<string | undefined> {
    const found = await this.#connection.send(
      `check of object "${this.key}"`,
      (client, sdk, abortSignal) =>
        client.send(new sdk.HeadObjectCommand({ Bucket: this.#connection.bucket, Key: this.key }), { abortSignal }),
      { signal, patient: true },
    )
    // The count of parts is at the end of the ETag of whatever was uploaded in parts.
    const ours = found.ContentLength === this.#sizeBytes && found.ETag?.replaceAll('"', '').endsWith(`-${this.#parts.length}`)
    if (!ours) throw error
    return found.ETag
  }

  #keep(part: { PartNumber: number; ETag: string | undefined; ChecksumSHA256?: string | undefined }): void {
    const { PartNumber, ETag, ChecksumSHA256 } = part
    if (!ETag)
      throw storeError(
        'STORE_UNAVAILABLE',
        `${this.#connection.where} took part ${PartNumber} of "${this.key}" without an ETag`,
      )
    this.#parts.push({ PartNumber, ETag, ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }) })
  }

  #target(): { Bucket: string; Key: string; UploadId: string } {
    return { Bucket: this.#connection.bucket, Key: this.key, UploadId: this.#id }
  }
}
