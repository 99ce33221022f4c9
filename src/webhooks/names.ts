/** Label of an object that its author wants to be taken as it is. */
export const uncheckedLabel = { key: 'holdfast.dev/validate', value: 'false' } as const

/** What the objects of the webhook are called, in the manifest and here. */
export interface WebhookNames {
  readonly service: string
  /** Holds the certificate. */
  readonly secret: string
  /** The ValidatingWebhookConfiguration. It belongs to no namespace, so its name tells whose it is. */
  readonly configuration: string
  /** Under which the API server calls the Service. */
  readonly hosts: readonly [string, ...string[]]
  /** Kanister's. */
  readonly blueprintPath: string
}

export function webhookNames(namespace: string): WebhookNames {
  const service = 'holdfast-webhook'
  return {
    service,
    secret: 'holdfast-webhook-tls',
    configuration: `holdfast-webhook.${namespace}`,
    hosts: [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`],
    blueprintPath: '/validate/v1alpha1/blueprint',
  }
}
