import { createSecureContext, type SecureContext } from 'node:tls'
import type { Identity } from './credentials.ts'
import type { KubeEndpoint } from './kubeconfig.ts'

/**
 * What a connection to the server needs for TLS. The certificates are read once, not for each connection: an exec opens one of its
 * own, and reading them costs more than the handshake. A client certificate that was replaced gets connections of its own.
 */
export function createTlsOptions({ server, tls }: KubeEndpoint): (identity: Identity) => object {
  if (!server.startsWith('https:')) return () => ({})
  const { ca, servername, rejectUnauthorized } = tls
  let known: { readonly cert: unknown; readonly key: unknown; readonly context: SecureContext } | undefined
  let count = 0
  return (identity) => {
    const { cert, key } = identity.cert && identity.key ? identity : tls
    if (!known || known.cert !== cert || known.key !== key) {
      count++
      const context = createSecureContext({ ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) })
      known = { cert, key, context }
    }
    return {
      secureContext: known.context,
      // Of no meaning to a client; the agent keeps connections of different names apart.
      sessionIdContext: String(count),
      ...(servername !== undefined && { servername }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
    }
  }
}
