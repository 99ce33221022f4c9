import { HoldfastError } from '../../base/errors.ts'
import { storeError } from '../errors.ts'
import { type Known, checkCredentials, knownByErrno, knownByStatus } from '../network-fault.ts'
import type { RequestSubject } from '../request-subject.ts'

interface AzureFault {
  readonly status: number
  /** `BlobNotFound`, `ServerBusy`, or what a socket said. */
  readonly code: string
  readonly message: string
}

/** The store's own answer, or the network's, as an error of this room; the original stays as `cause`. */
export function translateAzureError(error: unknown, subject: RequestSubject): unknown {
  if (error instanceof HoldfastError) return error
  const fault = faultOf(error)
  if (fault === undefined) return error
  const known = byCode[fault.code] ?? knownByErrno[fault.code] ?? knownByStatus(fault.status) ?? looksBroken(fault)
  if (known === undefined && fault.status === 0) return error
  const [code, hint] = known ?? (['STORE_REFUSED', ''] as const)
  const label = [fault.status > 0 ? `HTTP ${fault.status}` : '', fault.code].filter((part) => part !== '').join(' ')
  // The first line: behind it stand request ids, and with refused signatures the text that was signed.
  const [first = ''] = fault.message.split('\n')
  const text = `${subject.what} in ${subject.where} failed: ${label}: ${first}${hint === '' ? '' : `; ${hint}`}`
  return storeError(code, text, {
    cause: error,
    details: { bucket: subject.bucket, status: fault.status || undefined, azureCode: fault.code || undefined },
  })
}

/** True when the store said something, were it no. */
export function hasAzureAnswer(error: unknown): boolean {
  return (faultOf(error)?.status ?? 0) > 0
}

const byCode: Readonly<Record<string, Known>> = {
  BlobNotFound: ['STORE_NOT_FOUND', ''],
  ContainerNotFound: ['STORE_NO_BUCKET', 'create the container, or correct location.bucket of the Profile'],
  ContainerBeingDeleted: ['STORE_NO_BUCKET', 'it is being deleted: create it anew when that has ended'],
  ResourceNotFound: ['STORE_NOT_FOUND', ''],
  BlobAlreadyExists: ['STORE_EXISTS', ''],
  ConditionNotMet: ['STORE_EXISTS', ''],
  TargetConditionNotMet: ['STORE_EXISTS', ''],
  AuthenticationFailed: ['STORE_DENIED', checkCredentials],
  AuthorizationFailure: ['STORE_DENIED', checkCredentials],
  InsufficientAccountPermissions: ['STORE_DENIED', checkCredentials],
  AccountIsDisabled: ['STORE_DENIED', 'the storage account is disabled'],
  BlobImmutableDueToPolicy: ['STORE_LOCKED', 'it is under an immutability policy or a legal hold: wait until that has ended'],
  BlobImmutableDueToLegalHold: ['STORE_LOCKED', 'it is under a legal hold: have that lifted'],
  ServerBusy: ['STORE_THROTTLED', ''],
  OperationTimedOut: ['STORE_UNAVAILABLE', ''],
  InternalError: ['STORE_UNAVAILABLE', ''],
  Md5Mismatch: ['STORE_CHECKSUM', ''],
  Crc64Mismatch: ['STORE_CHECKSUM', ''],
  IncompleteBody: ['STORE_CHECKSUM', ''],
  RequestBodyTooLarge: ['STORE_TOO_LARGE', ''],
  BlobArchived: ['STORE_REFUSED', 'the blob is in the archive tier: rehydrate it there first'],
  // What the library calls a connection that broke.
  REQUEST_SEND_ERROR: ['STORE_UNREACHABLE', ''],
  PARSE_ERROR: ['STORE_UNAVAILABLE', 'its answer could not be read'],
}

function looksBroken({ message, status }: AzureFault): Known | undefined {
  if (message === 'aborted' || message.includes('socket hang up')) return ['STORE_UNREACHABLE', '']
  if (status >= 200 && status < 300) return ['STORE_UNAVAILABLE', 'its answer could not be read']
  return undefined
}

function faultOf(error: unknown): AzureFault | undefined {
  if (!(error instanceof Error)) return undefined
  // Shape of the library's RestError and of Node's system errors; each part is checked.
  const given = error as Error & { statusCode?: unknown; code?: unknown; cause?: unknown }
  const code = typeof given.code === 'string' ? given.code : ''
  const status = typeof given.statusCode === 'number' ? given.statusCode : 0
  const inner = code === 'REQUEST_SEND_ERROR' || code === '' ? socketCode(given.cause) : undefined
  // The library's word for an answer that broke off; an abort of ours was thrown before anybody translates.
  if (error.name === 'AbortError') return { status: 0, code: 'REQUEST_SEND_ERROR', message: 'the connection broke' }
  return { status, code: inner ?? code, message: error.message }
}

function socketCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  const { code } = cause as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}
