import { readFile } from 'node:fs/promises'
import { storeError } from '../errors.ts'
import { knownByStatus } from '../network-fault.ts'
import type { AzureWorkload } from './settings.ts'

/** All clouds of Azure know the storage by this name. */
const scope = 'https://storage.azure.com/.default'
const requestMs = 30_000

interface AccessToken {
  readonly token: string
  readonly expiresOnTimestamp: number
}

/** As Azure's libraries take it; they keep the token, and ask for the next one before its end. */
export interface TokenSource {
  getToken(scopes: string | string[], options?: { readonly abortSignal?: AbortSignalLike | undefined }): Promise<AccessToken>
}

interface AbortSignalLike {
  readonly aborted: boolean
}

/**
 * Workload identity: the token that the cluster gave the pod, exchanged for one of Azure. One request of OAuth (a client assertion), so
 * `@azure/identity` with its caches, brokers and prompts is not needed for it. The file is read each time, since the cluster renews it.
 */
export function federatedToken(workload: AzureWorkload, now: () => number): TokenSource {
  return {
    getToken: async (_scopes, { abortSignal } = {}) => {
      const assertion = (await tokenOf(workload.tokenFile)).trim()
      const timeout = AbortSignal.timeout(requestMs)
      const signal = abortSignal instanceof AbortSignal ? AbortSignal.any([abortSignal, timeout]) : timeout
      return exchange(workload, assertion, { now, signal })
    },
  }
}

async function exchange(
  { authority, tenantId, clientId }: AzureWorkload,
  assertion: string,
  { now, signal }: { readonly now: () => number; readonly signal: AbortSignal },
): Promise<AccessToken> {
  const url = `${authority.replace(/\/+$/, '')}/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`
  const asked = now()
  const { status, answer } = await post(
    url,
    new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: clientId,
      scope,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
    }),
    signal,
  )
  const { access_token: token, expires_in: seconds } = answer
  if (status === 200 && typeof token === 'string' && Number(seconds) > 0)
    return { token, expiresOnTimestamp: asked + Number(seconds) * 1000 }
  throw refusal(url, status, answer)
}

type Answer = Readonly<Record<string, unknown>>

async function post(
  url: string,
  body: URLSearchParams,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly answer: Answer }> {
  let response: Response
  try {
    response = await fetch(url, { method: 'POST', body, signal, redirect: 'error' })
  } catch (error) {
    throw storeError('STORE_UNREACHABLE', `Azure's tokens: ${url} cannot be reached`, { cause: error })
  }
  const answer: unknown = await response.json().catch(() => undefined)
  // Each field is checked where it is read.
  return { status: response.status, answer: typeof answer === 'object' && answer !== null ? (answer as Answer) : {} }
}

/** What Azure says names the identity and its faults, never the token. */
function refusal(url: string, status: number, { error, error_description: description }: Answer): unknown {
  // The first line: behind it stand ids of the request.
  const said = [error, description]
    .map((part) => (typeof part === 'string' ? (part.split('\n')[0] ?? '').trim() : ''))
    .filter((part) => part !== '')
  const code = status >= 500 || status === 429 ? (knownByStatus(status)?.[0] ?? 'STORE_UNAVAILABLE') : 'STORE_DENIED'
  const answer = [`HTTP ${status}`, ...said].join(': ')
  return storeError(
    code,
    `Azure's tokens: ${url} gave none (${answer}); check AZURE_CLIENT_ID, AZURE_TENANT_ID and the federated credential of the identity`,
    { details: { status } },
  )
}

async function tokenOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw storeError('STORE_DENIED', `the token of the pod, ${file} (AZURE_FEDERATED_TOKEN_FILE), cannot be read`, {
      cause: error,
    })
  })
}
