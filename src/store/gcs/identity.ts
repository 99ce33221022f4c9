import type { AuthClient, JWT } from 'google-auth-library'
import { HoldfastError, messageOf } from '../../base/errors.ts'
import { storeError } from '../errors.ts'
import { type Known, knownByErrno, knownByStatus } from '../network-fault.ts'
import type { GcsSettings, OwnIdentity, ServiceAccount } from './settings.ts'

type AuthLibrary = typeof import('google-auth-library')

const scope = 'https://www.googleapis.com/auth/devstorage.read_write'

/** What signs the requests. The library is loaded by the first call. */
export async function openAuth(account: GcsSettings['account']): Promise<AuthClient> {
  // A CommonJS package: in the bundle its names are those of `default` alone.
  const imported: AuthLibrary & { readonly default?: AuthLibrary } = await import('google-auth-library')
  const library = imported.default ?? imported
  return 'project' in account ? ownIdentity(library, account) : ofKey(library, account)
}

/**
 * A token that the account's key signs itself, for an hour and renewed before its end: no request to another server, so nothing of it can
 * fail in the middle of an upload.
 */
function ofKey(library: AuthLibrary, { email, privateKey, keyId }: ServiceAccount): JWT {
  const token = new library.JWT({ email, key: privateKey, scopes: [scope], ...(keyId === undefined ? {} : { keyId }) })
  token.useJWTAccessWithScope = true
  return token
}

/**
 * In this order, by the library: the file that GOOGLE_APPLICATION_CREDENTIALS names (also of workload identity federation), gcloud's own,
 * the metadata server. Which file that is, is for who runs this process to say, never for a Profile.
 */
async function ownIdentity({ GoogleAuth }: AuthLibrary, { project }: OwnIdentity): Promise<AuthClient> {
  try {
    return await new GoogleAuth({ scopes: [scope], projectId: project }).getClient()
  } catch (error) {
    throw tokenFault(error)
  }
}

/** A failure to get a token, as an error of this room: what may heal is tried again. */
export function tokenFault(error: unknown): unknown {
  if (error instanceof HoldfastError) return error
  // Shape of the library's errors; each part is checked.
  const { response, code } = error as { readonly response?: { readonly status?: unknown }; readonly code?: unknown }
  const status = typeof response?.status === 'number' ? response.status : 0
  return storeError(
    codeOf(status, typeof code === 'string' ? code : ''),
    `no token of Google for this process: ${messageOf(error)}; bind its service account to one of Google's (workload identity), set GOOGLE_APPLICATION_CREDENTIALS, or put service-account.json into the Secret`,
    // Not the error itself: it holds the request, and that the token of the pod.
    { details: { status: status || undefined } },
  )
}

/** A 404 of a token server is no word about an object. */
function codeOf(status: number, errno: string): Known[0] {
  if (status >= 500 || status === 429 || status === 408) return knownByStatus(status)?.[0] ?? 'STORE_UNAVAILABLE'
  return status > 0 ? 'STORE_DENIED' : (knownByErrno[errno]?.[0] ?? 'STORE_DENIED')
}
