import { readFile } from 'node:fs/promises'
import { type Clock, systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { kubeError } from './errors.ts'

/** What a request carries to say who we are. */
export interface Identity {
  /** Value of the Authorization header. */
  readonly authorization?: string | undefined
  readonly cert?: string | Buffer | undefined
  readonly key?: string | Buffer | undefined
}

export interface Credentials {
  current(): Promise<Identity>
  /** The server answered 401: what was kept must not be used again. True if asking anew may help. */
  refused(): boolean
}

export function staticCredentials(authorization: string | undefined): Credentials {
  return { current: () => Promise.resolve({ authorization }), refused: () => false }
}

/** Service-account tokens are replaced in their file every hour or so: read again each minute. */
const tokenAgeMs = 60_000

export function tokenFileCredentials(path: string, clock: Clock = systemClock): Credentials {
  return kept(clock, tokenAgeMs, async () => {
    try {
      return { authorization: `Bearer ${(await readFile(path, 'utf8')).trim()}` }
    } catch (error) {
      throw kubeError('KUBE_CONFIG', `the service-account token ${path} cannot be read: ${messageOf(error)}`, { cause: error })
    }
  })
}

/**
 * Users with a credential plugin or an auth-provider: left to client-node, which knows them. It is loaded only then,
 * since it takes 80 MB of memory.
 */
export function pluginCredentials(kubeconfig: string, context: string, clock: Clock = systemClock): Credentials {
  return kept(clock, tokenAgeMs, async () => {
    const { KubeConfig } = await import('@kubernetes/client-node')
    const config = new KubeConfig()
    config.loadFromString(kubeconfig)
    config.setCurrentContext(context)
    const options: { headers?: Record<string, string>; cert?: string | Buffer; key?: string | Buffer } = {}
    try {
      await config.applyToHTTPSOptions(options as Parameters<typeof config.applyToHTTPSOptions>[0])
    } catch (error) {
      throw kubeError('KUBE_CONFIG', `context "${context}": its credential plugin failed: ${messageOf(error)}`, {
        cause: error,
      })
    }
    return { authorization: options.headers?.Authorization, cert: options.cert, key: options.key }
  })
}

function kept(clock: Clock, ageMs: number, load: () => Promise<Identity>): Credentials {
  let identity: Promise<Identity> | undefined
  let until = 0
  return {
    current() {
      if (identity && clock.now() < until) return identity
      until = clock.now() + ageMs
      identity = load()
      identity.catch(() => (identity = undefined))
      return identity
    },
    refused() {
      identity = undefined
      return true
    },
  }
}
