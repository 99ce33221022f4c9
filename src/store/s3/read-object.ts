import { Readable } from 'node:stream'
import type { GetObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { withDeadline } from '../../base/deadline.ts'
import type { GetOptions } from '../object-store.ts'
import type { S3Connection } from './connection.ts'
import { type PlaceBody, UnreadAnswer } from './range-socket.ts'
import type { RangeSockets, SignedRequest } from './range-sockets.ts'

/**
 * One try at an object, or a range of it, in one piece and with little work: the SDK signs, and the bytes go from the socket to where they are
 * wanted. Undefined where anything is not as it mostly is (an error, a break, an answer in chunks): then the way with all its
 * repeating has to do it, and to say what is wrong.
 */
export async function tryReadObject(
  connection: S3Connection,
  sockets: RangeSockets,
  key: string,
  options: GetOptions & { readonly limitBytes: number },
): Promise<Uint8Array | undefined> {
  const { offset = 0, length, limitBytes, signal } = options
  // The first request of all learns the region and finds out whether the address is right; an empty range needs none.
  if (connection.budgetMs !== Infinity || length === 0) return undefined
  const range =
    offset === 0 && length === undefined ? undefined : `bytes=${offset}-${length === undefined ? '' : offset + length - 1}`
  const place: PlaceBody = (sizeBytes, isRange) => {
    if (isRange !== (range !== undefined) || sizeBytes > Math.min(limitBytes, length ?? Infinity))
      throw new UnreadAnswer(`${sizeBytes} bytes came, which were not asked for`)
    return Buffer.allocUnsafeSlow(sizeBytes)
  }
  try {
    return await withDeadline(
      `read of object "${key}" in ${connection.where}`,
      connection.timing.requestMs,
      signal,
      async (both) => {
        const request = await connection.once(
          `read of object "${key}"`,
          (client, sdk) =>
            sign(client, new sdk.GetObjectCommand({ Bucket: connection.bucket, Key: key, ...(range && { Range: range }) })),
          both,
        )
        return sockets.get(request, place, both)
      },
    )
  } catch {
    signal?.throwIfAborted()
    return undefined
  }
}

interface Stacked {
  readonly middlewareStack: {
    add(
      middleware: () => (args: { readonly request: SignedRequest }) => Promise<{ readonly response: object }>,
      options: { step: 'deserialize'; priority: 'low'; name: string },
    ): void
  }
}

/** What the SDK would send: its last step keeps the request instead of sending it. */
async function sign(client: S3Client, command: GetObjectCommand): Promise<SignedRequest> {
  let signed: SignedRequest | undefined
  // The SDK types its stack per command; all are the same at run time, and this step always sees an HTTP request.
  const { middlewareStack } = command as unknown as Stacked
  const keep = () => (args: { readonly request: SignedRequest }) => {
    signed = args.request
    return Promise.resolve({ response: { statusCode: 200, headers: {}, body: Readable.from([]) } })
  }
  middlewareStack.add(keep, { step: 'deserialize', priority: 'low', name: 'holdfastKeepRequest' })
  await client.send(command)
  if (!signed) throw new Error('the SDK sent no request')
  return signed
}
