import { names } from '../../api/names.ts'
import type { Json } from '../../schema/crd.ts'
import { uncheckedLabel, webhookNames } from '../../webhooks/names.ts'
import { labels } from './labels.ts'

/** Of the operator's container. */
export const webhookPort = 9443

/** How the API server reaches the operator's check of Blueprints, and the operator's rights to keep that in order. */
export function webhook(namespace: string, serviceAccount: string): Json[] {
  const { service, configuration } = webhookNames(namespace)
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: service, namespace, labels: labels('webhook') },
      spec: { selector: labels('operator'), ports: [{ name: 'webhook', port: 443, targetPort: webhookPort }] },
    },
    {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingWebhookConfiguration',
      metadata: { name: configuration, labels: labels('webhook') },
      webhooks: [blueprints(namespace)],
    },
    ...rights(namespace, serviceAccount),
  ]
}

/** Without a `caBundle` and a `namespaceSelector`: the operator writes both, and until then no call succeeds, which lets in. */
function blueprints(namespace: string): Json {
  const { service, blueprintPath } = webhookNames(namespace)
  return {
    name: 'blueprints.holdfast.dev',
    clientConfig: { service: { namespace, name: service, path: blueprintPath, port: 443 } },
    rules: [
      {
        apiGroups: [names.kanisterGroup],
        apiVersions: [names.version],
        operations: ['CREATE', 'UPDATE'],
        resources: ['blueprints'],
        scope: 'Namespaced',
      },
    ],
    objectSelector: {
      matchExpressions: [{ key: uncheckedLabel.key, operator: 'NotIn', values: [uncheckedLabel.value] }],
    },
    // An engine that is down must not keep anybody from their work.
    failurePolicy: 'Ignore',
    timeoutSeconds: 3,
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
  }
}

/** Only to this configuration and this Secret; `create` cannot be limited to a name. */
function rights(namespace: string, serviceAccount: string): Json[] {
  const { secret, configuration } = webhookNames(namespace)
  const api = 'rbac.authorization.k8s.io'
  const subjects = [{ kind: 'ServiceAccount', name: serviceAccount, namespace }]
  const roles: readonly { readonly kind: string; readonly metadata: Json; readonly rules: readonly Json[] }[] = [
    {
      kind: 'ClusterRole',
      metadata: { name: configuration, labels: labels('webhook') },
      rules: [
        {
          apiGroups: ['admissionregistration.k8s.io'],
          resources: ['validatingwebhookconfigurations'],
          resourceNames: [configuration],
          verbs: ['get', 'patch'],
        },
      ],
    },
    {
      kind: 'Role',
      metadata: { name: 'holdfast-webhook', namespace, labels: labels('webhook') },
      rules: [
        { apiGroups: [''], resources: ['secrets'], resourceNames: [secret], verbs: ['get', 'update'] },
        { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
      ],
    },
  ]
  return roles.flatMap(({ kind, metadata, rules }) => {
    const { name } = metadata as { readonly name: string }
    const binding = { kind: `${kind}Binding`, metadata, roleRef: { apiGroup: api, kind, name }, subjects }
    return [
      { apiVersion: `${api}/v1`, kind, metadata, rules },
      { apiVersion: `${api}/v1`, ...binding },
    ]
  })
}
