import { storeError } from '../errors.ts'
import type { PutResult } from '../object-store.ts'
import type { Checksums } from './checksums.ts'
import type { S3Connection } from './connection.ts'
import { type Payload, bodyOf, checksumText, signedWith } from './payload.ts'
import { lockFields } from './retention.ts'
import { publishing } from '../publishing.ts'

export interface PutRequest {
  readonly key: string
  readonly payload: Payload
  readonly ifAbsent?: boolean
  /** Under the retention of the connection, if there is one. */
  readonly retain: boolean
  readonly signal: AbortSignal
}

/** One object by one request. */
export async function putObject(connection: S3Connection, checksums: Checksums, request: PutRequest): Promise<PutResult> {
  const { key, payload, signal } = request
  signal.throwIfAborted()
  return publishing(connection, signal, async (inner) => {
    const etag = await checksums.write((useChecksum) =>
      request.ifAbsent
        ? putIfAbsent(connection, request, useChecksum, inner)
        : connection.send(
            `put of object "${key}"`,
            putAttempt(connection, request, useChecksum, '', () => {}),
            { signal: inner },
          ),
    )
    return { sizeBytes: payload.bytes.length, ...(etag === undefined ? {} : { etag }) }
  })
}

async function putIfAbsent(
  connection: S3Connection,
  request: PutRequest,
  useChecksum: boolean,
  signal: AbortSignal,
): Promise<string | undefined> {
  const what = `put of object "${request.key}"`
  let tries = 0
  try {
    return await connection.send(
      what,
      putAttempt(connection, request, useChecksum, '*', () => tries++),
      { signal },
    )
  } catch (error) {
    if (storeError.is(error, 'STORE_EXISTS')) {
      // A repeated try meets what the first one wrote, if only its answer was lost.
      if (tries > 1 && (await holdsSame(connection, request, signal))) return undefined
      throw storeError('STORE_EXISTS', `object "${request.key}" already exists in ${connection.where}`, { cause: error })
    }
    if (!knowsNoCondition(error)) throw error
    await refuseIfThere(connection, request.key, signal)
    return connection.send(
      what,
      putAttempt(connection, request, useChecksum, '', () => {}),
      { signal },
    )
  }
}

function putAttempt(
  connection: S3Connection,
  request: PutRequest,
  useChecksum: boolean,
  ifNoneMatch: '' | '*',
  onTry: () => void,
) {
  const { key, payload } = request
  const input = {
    Bucket: connection.bucket,
    Key: key,
    Body: bodyOf(payload),
    ...(useChecksum ? { ChecksumSHA256: checksumText(payload.sha256) } : {}),
    ...(ifNoneMatch === '' ? {} : { IfNoneMatch: ifNoneMatch }),
    ...(request.retain ? lockFields(connection) : {}),
  }
  const attempt: Parameters<typeof connection.send<string | undefined>>[1] = async (client, sdk, abortSignal) => {
    onTry()
    const { ETag } = await client.send(signedWith(new sdk.PutObjectCommand(input), payload.sha256), { abortSignal })
    return ETag
  }
  return attempt
}

async function holdsSame(connection: S3Connection, { key, payload }: PutRequest, signal: AbortSignal): Promise<boolean> {
  const body = await connection.send(
    `comparison of object "${key}"`,
    async (client, sdk, abortSignal) => {
      const found = await client.send(new sdk.GetObjectCommand({ Bucket: connection.bucket, Key: key }), { abortSignal })
      if (found.ContentLength === payload.bytes.length) return found.Body?.transformToByteArray()
      await found.Body?.transformToWebStream().cancel()
      return undefined
    },
    { signal },
  )
  return body !== undefined && Buffer.compare(body, payload.bytes) === 0
}

/** Some stores answer 501 or 400 to a conditional put. 403 and others keep their meaning. */
function knowsNoCondition(error: unknown): boolean {
  if (!storeError.is(error)) return false
  const { status, s3Code } = error.details
  return status === 501 || s3Code === 'NotImplemented' || (status === 400 && /none-match|condition/i.test(error.message))
}

async function refuseIfThere(connection: S3Connection, key: string, signal: AbortSignal): Promise<void> {
  try {
    await connection.send(
      `check of object "${key}"`,
      (client, sdk, abortSignal) =>
        client.send(new sdk.HeadObjectCommand({ Bucket: connection.bucket, Key: key }), { abortSignal }),
      { signal },
    )
  } catch (error) {
    if (storeError.is(error, 'STORE_NOT_FOUND')) return
    throw error
  }
  throw storeError('STORE_EXISTS', `object "${key}" already exists in ${connection.where}`)
}
