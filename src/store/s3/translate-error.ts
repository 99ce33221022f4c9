import { HoldfastError, messageOf } from '../../base/errors.ts'
import { storeError } from '../errors.ts'
import { type Known, cannotReach, checkCredentials, knownByErrno, knownByStatus } from '../network-fault.ts'
import type { RequestSubject } from '../request-subject.ts'

interface S3Fault {
  readonly name: string
  readonly message: string
  readonly status: number
  readonly errno: string
}

/** The store's own answer, or the network's, as an error of this room; the original stays as `cause`. */
export function translateError(error: unknown, subject: RequestSubject): unknown {
  if (error instanceof HoldfastError) return error
  const fault = faultOf(error)
  if (fault === undefined) return error
  const known =
    lockedBy(fault) ?? byName[fault.name] ?? knownByErrno[fault.errno] ?? knownByStatus(fault.status) ?? looksBroken(fault)
  const [code, hint] = known ?? ['STORE_REFUSED', '']
  const said = sayWhy(fault)
  return storeError(code, `${subject.what} in ${subject.where} failed: ${said}${hint === '' ? '' : `; ${hint}`}`, {
    cause: error,
    details: { bucket: subject.bucket, status: fault.status || undefined, s3Code: fault.name || undefined },
  })
}

const locked: Known = ['STORE_LOCKED', 'it is under retention or a legal hold: delete it after that']

const byName: Readonly<Record<string, Known>> = {
  NoSuchKey: ['STORE_NOT_FOUND', ''],
  NotFound: ['STORE_NOT_FOUND', ''],
  NoSuchVersion: ['STORE_NOT_FOUND', ''],
  NoSuchUpload: ['STORE_NOT_FOUND', 'the upload was aborted by someone else, or by a lifecycle rule of the bucket'],
  NoSuchBucket: ['STORE_NO_BUCKET', 'create the bucket, or correct location.bucket (and region) of the Profile'],
  AccessDenied: ['STORE_DENIED', checkCredentials],
  AllAccessDisabled: ['STORE_DENIED', checkCredentials],
  AccountProblem: ['STORE_DENIED', checkCredentials],
  InvalidAccessKeyId: ['STORE_DENIED', 'the store does not know this access key: correct the Secret that the Profile names'],
  XAdminUserNotFound: ['STORE_DENIED', 'the store does not know this access key: correct the Secret that the Profile names'],
  SignatureDoesNotMatch: ['STORE_DENIED', 'the secret key is wrong: correct the Secret that the Profile names'],
  CredentialsProviderError: [
    'STORE_DENIED',
    "the Profile gives no keys, and this process has no identity of AWS: give keys, or bind a role to the engine's service account",
  ],
  ExpiredToken: ['STORE_DENIED', 'the session token has expired: put fresh credentials into the Secret'],
  InvalidToken: ['STORE_DENIED', 'the session token is not valid: put fresh credentials into the Secret'],
  RequestTimeTooSkewed: ['STORE_DENIED', "this machine's clock and the store's differ too much: set the clock"],
  InvalidObjectState: ['STORE_REFUSED', 'the object is in an archive class: restore it there first'],
  ObjectLocked: locked,
  PreconditionFailed: ['STORE_EXISTS', ''],
  ConditionalRequestConflict: ['STORE_UNAVAILABLE', ''],
  OperationAborted: ['STORE_UNAVAILABLE', ''],
  SlowDown: ['STORE_THROTTLED', ''],
  Throttling: ['STORE_THROTTLED', ''],
  ThrottlingException: ['STORE_THROTTLED', ''],
  TooManyRequests: ['STORE_THROTTLED', ''],
  RequestLimitExceeded: ['STORE_THROTTLED', ''],
  RequestTimeout: ['STORE_UNREACHABLE', ''],
  TimeoutError: ['STORE_UNREACHABLE', cannotReach],
  InternalError: ['STORE_UNAVAILABLE', ''],
  ServiceUnavailable: ['STORE_UNAVAILABLE', ''],
  IncompleteBody: ['STORE_CHECKSUM', ''],
  BadDigest: ['STORE_CHECKSUM', ''],
  InvalidDigest: ['STORE_CHECKSUM', ''],
  XAmzContentSHA256Mismatch: ['STORE_CHECKSUM', ''],
  XAmzContentChecksumMismatch: ['STORE_CHECKSUM', ''],
  QuotaExceeded: ['STORE_FULL', 'free space or raise the quota'],
  XMinioStorageFull: ['STORE_FULL', 'free space or add storage'],
  XMinioAdminBucketQuotaExceeded: ['STORE_FULL', 'free space or raise the quota'],
  InsufficientStorage: ['STORE_FULL', 'free space or add storage'],
  EntityTooLarge: ['STORE_TOO_LARGE', ''],
  KeyTooLongError: ['STORE_BAD_KEY', 'choose a shorter path'],
  InvalidBucketName: ['STORE_NO_BUCKET', 'correct location.bucket of the Profile'],
}

/** AWS has no code of its own for it. */
function lockedBy({ status, message }: S3Fault): Known | undefined {
  return status === 403 && /object lock/i.test(message) ? locked : undefined
}

/** No answer of S3 at all: a proxy's page, a body cut while it was parsed, a protocol error of the HTTP parser. */
function looksBroken(fault: S3Fault): Known | undefined {
  if (fault.errno.startsWith('HPE_')) return ['STORE_UNREACHABLE', 'what listens there does not speak HTTP as expected']
  if (fault.errno.startsWith('ERR_SSL')) return ['STORE_UNREACHABLE', 'check whether the endpoint is http or https']
  if (fault.message === 'aborted' || fault.message.includes('socket hang up')) return ['STORE_UNREACHABLE', '']
  if (fault.status >= 200 && fault.status < 300) return ['STORE_UNAVAILABLE', 'its answer could not be read']
  return undefined
}

function faultOf(error: unknown): S3Fault | undefined {
  if (!(error instanceof Error)) return undefined
  // Shape of the SDK's ServiceException and of Node's system errors; each part is checked.
  const given = error as Error & { $metadata?: { httpStatusCode?: unknown }; code?: unknown; Code?: unknown }
  const status = given.$metadata?.httpStatusCode
  return {
    name: typeof given.Code === 'string' ? given.Code : error.name,
    message: error.message,
    status: typeof status === 'number' ? status : 0,
    errno: typeof given.code === 'string' ? given.code : '',
  }
}

function sayWhy(fault: S3Fault): string {
  const text = fault.message === '' || fault.message === 'UnknownError' ? '' : fault.message
  const label = fault.name === 'Error' || fault.name === 'Unknown' || fault.name === '' ? fault.errno : fault.name
  const status = fault.status > 0 ? `HTTP ${fault.status}` : ''
  return (
    [[status, label].filter((part) => part !== '').join(' '), text].filter((part) => part !== '').join(': ') ||
    'no reason given'
  )
}

/** True where a store refused a request because of a checksum it does not know (and not because bytes were altered). */
export function refusesChecksum(error: unknown): boolean {
  if (!(error instanceof HoldfastError)) return false
  const { status, s3Code } = error.details
  if (status !== 400 && status !== 501 && status !== 403) return false
  if (typeof s3Code === 'string' && checksumCodes.has(s3Code)) return true
  return /checksum|x-amz-sdk|trailer/i.test(messageOf(error))
}

const checksumCodes = new Set([
  'NotImplemented',
  'InvalidArgument',
  'InvalidRequest',
  'UnsupportedArgument',
  'NotSupported',
  'XAmzContentSHA256Mismatch',
  'InvalidDigest',
  'BadRequest',
])
