import type { storeError } from './errors.ts'

/** A code of this room, and what to do about it where that is known. */
export type Known = readonly [code: keyof typeof storeError.table, hint: string]

export const checkCredentials = "check the Profile's credential and the rights of its user on the bucket"

/** The way out when nothing is heard of an endpoint. */
export const cannotReach = 'check location.endpoint of the Profile, and that the network lets this process reach it'

const untrusted = 'trust its authority (location.caBundle; --ca-file on the command line), or set skipSSLVerify in the Profile'

/** What Node's sockets say. */
export const knownByErrno: Readonly<Record<string, Known>> = {
  ECONNREFUSED: ['STORE_UNREACHABLE', cannotReach],
  ENOTFOUND: ['STORE_UNREACHABLE', cannotReach],
  EAI_AGAIN: ['STORE_UNREACHABLE', cannotReach],
  EHOSTUNREACH: ['STORE_UNREACHABLE', cannotReach],
  ENETUNREACH: ['STORE_UNREACHABLE', cannotReach],
  ETIMEDOUT: ['STORE_UNREACHABLE', cannotReach],
  ECONNRESET: ['STORE_UNREACHABLE', ''],
  ECONNABORTED: ['STORE_UNREACHABLE', ''],
  EPIPE: ['STORE_UNREACHABLE', ''],
  ERR_STREAM_PREMATURE_CLOSE: ['STORE_UNREACHABLE', ''],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['STORE_UNTRUSTED', untrusted],
  SELF_SIGNED_CERT_IN_CHAIN: ['STORE_UNTRUSTED', untrusted],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: ['STORE_UNTRUSTED', untrusted],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: ['STORE_UNTRUSTED', untrusted],
  UNABLE_TO_GET_ISSUER_CERT: ['STORE_UNTRUSTED', untrusted],
  CERT_HAS_EXPIRED: ['STORE_UNTRUSTED', 'renew it'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['STORE_UNTRUSTED', 'use the name it was made for, or set skipSSLVerify in the Profile'],
}

/** What an HTTP status says, where the store gave no code of its own. */
export function knownByStatus(status: number): Known | undefined {
  if (status === 404) return ['STORE_NOT_FOUND', '']
  if (status === 401 || status === 403) return ['STORE_DENIED', checkCredentials]
  if (status === 412) return ['STORE_EXISTS', '']
  if (status === 409) return ['STORE_UNAVAILABLE', '']
  if (status === 413) return ['STORE_TOO_LARGE', '']
  if (status === 429) return ['STORE_THROTTLED', '']
  if (status === 507) return ['STORE_FULL', 'free space or add storage']
  if (status === 408) return ['STORE_UNREACHABLE', '']
  if (status === 501) return ['STORE_REFUSED', 'this store does not offer it']
  if (status >= 500) return ['STORE_UNAVAILABLE', '']
  return undefined
}
