import { HoldfastError } from '../../base/errors.ts'
import { storeError } from '../errors.ts'
import { type Known, checkCredentials, knownByErrno, knownByStatus } from '../network-fault.ts'
import type { RequestSubject } from '../request-subject.ts'

/** An answer of the store that is no success. */
export class GcsFault extends Error {
  readonly status: number
  readonly reason: string

  constructor(status: number, body: string) {
    const { message, reason } = said(body)
    super(message)
    this.status = status
    this.reason = reason
  }
}

/** The store's own answer, or the network's, as an error of this room; the original stays as `cause`. */
export function translateGcsError(error: unknown, subject: RequestSubject): unknown {
  if (error instanceof HoldfastError || !(error instanceof Error)) return error
  const known = error instanceof GcsFault ? knownFault(error) : knownNetwork(error)
  if (known === undefined) return error
  const [code, hint] = known
  const status = error instanceof GcsFault ? error.status : undefined
  const text = status === undefined ? error.message : `HTTP ${status}${error.message === '' ? '' : `: ${error.message}`}`
  return storeError(code, `${subject.what} in ${subject.where} failed: ${text}${hint === '' ? '' : `; ${hint}`}`, {
    cause: error,
    details: { bucket: subject.bucket, status },
  })
}

function knownFault({ status, message, reason }: GcsFault): Known {
  if (status === 404 && /bucket (does not|doesn't) exist|no such bucket/i.test(message)) {
    return ['STORE_NO_BUCKET', 'create the bucket, or correct location.bucket of the Profile']
  }
  if (status === 403 && /quota|limit/i.test(reason)) return ['STORE_THROTTLED', '']
  if (status === 403 && /retention|hold/i.test(`${reason} ${message}`)) {
    return ['STORE_LOCKED', 'it is under retention or a hold: wait until that has ended']
  }
  // The end of an upload that was given up, and one that the store has forgotten.
  if (status === 410 || status === 499) return ['STORE_UNAVAILABLE', '']
  if (status === 416) return ['STORE_REFUSED', '']
  return knownByStatus(status) ?? ['STORE_REFUSED', '']
}

function knownNetwork(error: Error): Known | undefined {
  // Shape of Node's system errors; checked.
  const { code } = error as { code?: unknown }
  if (typeof code === 'string' && knownByErrno[code]) return knownByErrno[code]
  if (error.message === 'aborted' || error.message.includes('socket hang up')) return ['STORE_UNREACHABLE', '']
  if (typeof code === 'string' && code.startsWith('HPE_'))
    return ['STORE_UNREACHABLE', 'what listens there does not speak HTTP']
  // OpenSSL cannot read the private key.
  if (typeof code === 'string' && code.startsWith('ERR_OSSL')) {
    return ['STORE_DENIED', `the private key of the service account cannot be read: ${checkCredentials}`]
  }
  return undefined
}

function said(body: string): { readonly message: string; readonly reason: string } {
  try {
    // Fields are checked before they are used.
    const { error } = JSON.parse(body) as { error?: { message?: unknown; errors?: ReadonlyArray<{ reason?: unknown }> } }
    const reason = error?.errors?.[0]?.reason
    return {
      message: typeof error?.message === 'string' ? error.message : '',
      reason: typeof reason === 'string' ? reason : '',
    }
  } catch {
    return { message: body.slice(0, 200).trim(), reason: '' }
  }
}
