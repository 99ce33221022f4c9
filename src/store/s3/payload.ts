import { hash } from 'node:crypto'
import type { PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3'

/** Bytes of one request with their hex SHA-256: computed once for the signature, the checksum and comparisons. */
export interface Payload {
  readonly bytes: Uint8Array
  readonly sha256: string
}

export function payloadOf(bytes: Uint8Array, sha256: string = hash('sha256', bytes, 'hex')): Payload {
  return { bytes, sha256 }
}

/** A hex SHA-256 as S3 writes checksums. */
export function checksumText(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64')
}

/** The body for the SDK: a Buffer over the same memory, which its handler sends without a copy. */
export function bodyOf({ bytes }: Payload): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Gives the signer the hash that is known already; without this it reads the body once more. */
export function signedWith<Command extends PutObjectCommand | UploadPartCommand>(command: Command, sha256: string): Command {
  setHeaders(command, () => ({ 'x-amz-content-sha256': sha256 }))
  return command
}

interface Stacked {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: never) => unknown) => (args: never) => unknown,
      options: { step: 'build'; priority: 'low'; name: string },
    ): void
  }
}

interface Outgoing {
  readonly request: { headers: Record<string, string>; readonly body?: unknown }
}

/** Adds headers to a command's request before it is signed; undefined takes a header away. */
export function setHeaders(command: unknown, headersOf: (body: unknown) => Record<string, string | undefined>): void {
  // The SDK types its stack per command; all are the same at run time, and `build` always sees an HTTP request.
  const { middlewareStack } = command as Stacked
  const middleware = (next: (args: never) => unknown) => (args: never) => {
    const { request } = args as Outgoing
    for (const [name, value] of Object.entries(headersOf(request.body))) {
      if (value === undefined) delete request.headers[name]
      else request.headers[name] = value
    }
    return next(args)
  }
  middlewareStack.add(middleware, { step: 'build', priority: 'low', name: 'holdfastHeaders' })
}
