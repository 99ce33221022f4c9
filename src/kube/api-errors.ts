import { type HoldfastError, messageOf } from '../base/errors.ts'
import { kubeError } from './errors.ts'

/** The parts of a Kubernetes Status that say what went wrong. */
export interface ApiStatus {
  readonly status?: string
  readonly message?: string
  readonly reason?: string
  readonly code?: number
  readonly details?: {
    readonly name?: string
    readonly kind?: string
    readonly retryAfterSeconds?: number
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[]
  }
}

/** An answer that is no success, as one of our errors. The API's own text stays at the front of the message. */
export function errorOfAnswer(code: number, body: string, doing: string, retryAfter?: string): HoldfastError {
  const status = parseStatus(body)
  const text = status.message ?? (body.trim().slice(0, 500) || `${doing}: HTTP ${code}`)
  const seconds = Number(retryAfter ?? status.details?.retryAfterSeconds)
  const details = {
    status: code,
    ...(status.reason !== undefined && { reason: status.reason }),
    ...(seconds > 0 && { retryAfterMs: seconds * 1000 }),
  }
  return kubeError(codeOf(code, status, text), code === 403 ? withRule(text) : text, { details })
}

function codeOf(code: number, { reason }: ApiStatus, text: string): keyof typeof kubeError.table {
  if (code === 413 || /etcdserver: request is too large|Request entity too large/i.test(text)) return 'KUBE_TOO_LARGE'
  switch (code) {
    case 401:
      return 'KUBE_UNAUTHORIZED'
    case 403:
      return 'KUBE_FORBIDDEN'
    case 404:
      return 'KUBE_NOT_FOUND'
    case 408:
    case 504:
      return 'KUBE_TIMEOUT'
    case 409:
      return reason === 'AlreadyExists' ? 'KUBE_ALREADY_EXISTS' : 'KUBE_CONFLICT'
    case 410:
      return 'KUBE_GONE'
    case 429:
      return 'KUBE_THROTTLED'
    default:
      return code >= 500 ? 'KUBE_SERVER' : 'KUBE_INVALID'
  }
}

/** 403 from RBAC reads "… cannot VERB resource "R" in API group "G" …"; admission (quota, pod security) says it otherwise. */
function withRule(text: string): string {
  const match =
    /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]*)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]*)"| at the cluster scope)?/.exec(
      text,
    )
  if (!match?.groups) return text
  const { user, verb, resource, group, namespace } = match.groups
  const where = namespace ? `a Role in namespace "${namespace}"` : 'a ClusterRole'
  return `${text}; add to ${where} bound to ${user}: {apiGroups: ["${group}"], resources: ["${resource}"], verbs: ["${verb}"]} (a ClusterRole labelled holdfast.dev/aggregate-to-engine: "true" reaches the engine by itself)`
}

export function parseStatus(body: string): ApiStatus {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as ApiStatus) : {}
  } catch {
    return {} // a proxy's page or cut text: the HTTP code says enough
  }
}

const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/** A failure below HTTP. `details.sent` is false when the request surely never reached the server. */
export function errorOfTransport(error: unknown, server: string): HoldfastError {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? ''
  if (/CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO/.test(code)) {
    const text = `the API server ${server} shows a certificate we do not trust (${code}); check certificate-authority in the kubeconfig`
    return kubeError('KUBE_CONFIG', text, { cause: error })
  }
  const text = `the API server ${server} cannot be reached: ${messageOf(error)}${code && !messageOf(error).includes(code) ? ` (${code})` : ''}`
  return kubeError('KUBE_UNREACHABLE', text, { cause: error, details: { sent: !neverSent.has(code) } })
}
