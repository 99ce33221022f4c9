import { withDeadline } from '../base/deadline.ts'
import type { EngineIdentity } from '../functions/context.ts'
import { kinds } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { Config } from './config.ts'

/** Who this installation is: named by the UID of its namespace, which lives as long as the installation. */
export async function engineIdentity(kube: Kube, namespace: string, config: Config): Promise<EngineIdentity> {
  const { metadata } = await withDeadline(`reading namespace ${namespace}`, 60_000, undefined, (signal) =>
    kube.resource(kinds.namespaces).get({ name: namespace }, { signal }),
  )
  return {
    installationId: metadata.uid,
    namespace,
    ...(config.serviceAccount ? { serviceAccount: config.serviceAccount } : {}),
    image: config.image,
    secureDefaults: config.secureDefaults,
    podReadyTimeoutMs: config.podReadyTimeoutMs,
  }
}

/** Which cluster this is: the UID of kube-system, by custom; nothing where that may not be read. */
export async function clusterIdentity(kube: Kube): Promise<{ readonly cluster?: string }> {
  try {
    const { metadata } = await withDeadline('reading namespace kube-system', 10_000, undefined, (signal) =>
      kube.resource(kinds.namespaces).get({ name: 'kube-system' }, { signal }),
    )
    return { cluster: metadata.uid }
  } catch {
    return {}
  }
}
