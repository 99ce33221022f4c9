import type { ValidatingWebhookConfiguration } from '../kube/kinds.ts'
import type { ResourceApi } from '../kube/resource-api.ts'

/** What the API server must know to ask us, and what the manifest of the installation cannot know. */
export interface Registration {
  /** Name of the ValidatingWebhookConfiguration. */
  readonly name: string
  /** PEM. */
  readonly bundle: string
  /** Objects of these namespaces only; others belong to other installations. */
  readonly namespaces: readonly string[]
}

/**
 * Writes certificate authority and namespaces into each webhook of the configuration, if they are others there. One that is not there
 * is not made: whoever deleted it does not want it.
 */
export async function keepRegistration(
  configurations: Pick<ResourceApi<ValidatingWebhookConfiguration>, 'find' | 'patch'>,
  registration: Registration,
  signal: AbortSignal,
): Promise<'absent' | 'kept' | 'changed'> {
  const { name, bundle, namespaces } = registration
  const found = await configurations.find({ name }, { signal })
  if (!found) return 'absent'
  const caBundle = Buffer.from(bundle).toString('base64')
  const selected = { key: 'kubernetes.io/metadata.name', operator: 'In', values: namespaces.toSorted() }
  const namespaceSelector = { matchExpressions: [selected] }
  const webhooks = (found.webhooks ?? []).filter(
    (webhook) =>
      webhook.clientConfig.caBundle !== caBundle ||
      JSON.stringify(expressionsOf(webhook.namespaceSelector)) !== JSON.stringify(expressionsOf(namespaceSelector)),
  )
  if (webhooks.length === 0) return 'kept'
  // Merged by name, so that what others set in the same webhook stays.
  const patch = { webhooks: webhooks.map((webhook) => ({ name: webhook.name, clientConfig: { caBundle }, namespaceSelector })) }
  await configurations.patch({ name }, patch, { signal, type: 'strategic' })
  return 'changed'
}

interface Selector {
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

/** In an order of keys that does not depend on who wrote them. */
function expressionsOf(selector: Selector | undefined): unknown {
  return (selector?.matchExpressions ?? []).map(({ key, operator, values }) => [key, operator, values ?? []])
}
