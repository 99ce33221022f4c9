import { names } from '../api/names.ts'
import type { BackupRecord } from '../catalog/record.ts'
import type { ActionSpec } from '../api/actionset.ts'
import { type Json, type Manifest, neededBy, podSpecOf } from './manifests.ts'

/** What makes a copy of an application harmless. */
export interface Taming {
  /** Labels of all of it, so that no Schedule takes it. */
  readonly mark: Readonly<Record<string, string>>
  /** Namespace of the original, and of the copy. */
  readonly from: string
  readonly to: string
}

/**
 * A manifest as a throw-away copy of the application may have it: marked, speaking of its own namespace where it spoke of the original's, and
 * with nothing that reaches out of it (load balancers, ports of nodes, addresses, names in a DNS). Pure.
 */
export function tame(original: Manifest, { mark, from, to }: Taming): Manifest {
  const manifest = redirect(original, from, to)
  const { labels, annotations } = manifest.metadata as { readonly labels?: Json; readonly annotations?: Json }
  const { [names.policy]: _policy, ...kept } = labels ?? {}
  const metadata = { ...manifest.metadata, labels: { ...kept, ...mark } }
  const marked = { ...manifest, metadata } as Manifest
  const { data } = manifest as { readonly data?: Readonly<Record<string, string>> }
  if (manifest.kind === 'Secret' && data) return { ...marked, data: redirectData(data, from, to) }
  return manifest.kind === 'Service'
    ? tameService(marked, annotations ?? {})
    : manifest.kind === 'StatefulSet'
      ? withMarkedClaims(marked, mark)
      : marked
}

const outward = ['loadBalancerIP', 'loadBalancerClass', 'loadBalancerSourceRanges', 'allocateLoadBalancerNodePorts']
const outwardToo = ['externalIPs', 'externalTrafficPolicy', 'healthCheckNodePort']

function tameService(manifest: Manifest, annotations: Json): Manifest {
  const spec = (manifest['spec'] ?? {}) as Json
  // Annotations of Services are for those who would announce it to the world.
  const { annotations: _annotations, ...metadata } = manifest.metadata as Manifest['metadata'] & { readonly annotations?: Json }
  const own = Object.fromEntries(Object.entries(annotations).filter(([name]) => name.startsWith('holdfast.dev/')))
  const named = { ...metadata, ...(Object.keys(own).length > 0 ? { annotations: own } : {}) }
  const isOutward = spec['type'] === 'LoadBalancer' || spec['type'] === 'NodePort'
  const kept = Object.entries(spec).filter(([field]) => ![...outward, ...outwardToo].includes(field))
  return { ...manifest, metadata: named, spec: { ...Object.fromEntries(kept), ...(isOutward ? { type: 'ClusterIP' } : {}) } }
}

/** The claims that the StatefulSet's controller makes. */
function withMarkedClaims(manifest: Manifest, mark: Readonly<Record<string, string>>): Manifest {
  const spec = manifest['spec'] as { readonly volumeClaimTemplates?: readonly Json[] } | undefined
  if (!spec?.volumeClaimTemplates) return manifest
  const volumeClaimTemplates = spec.volumeClaimTemplates.map((template) => {
    const metadata = (template['metadata'] ?? {}) as Json
    return { ...template, metadata: { ...metadata, labels: { ...(metadata['labels'] as Json | undefined), ...mark } } }
  })
  return { ...manifest, spec: { ...spec, volumeClaimTemplates } }
}

/** Names of the Secrets of the original's namespace without which pods, or the actions, would not find what they need. */
export function neededSecrets(record: BackupRecord, actions: readonly string[]): string[] {
  // Each was an object of the cluster.
  const manifests = (record.manifests ?? []) as unknown as readonly Manifest[]
  const pods = manifests.flatMap((manifest) => podSpecOf(manifest)?.spec ?? [])
  const ofPods = pods.flatMap((spec) => [
    ...neededBy(spec).flatMap(({ kind, name }) => (kind === 'Secret' ? [name] : [])),
    ...pullSecrets(spec as Json),
  ])
  const ofAccounts = manifests.filter(({ kind }) => kind === 'ServiceAccount').flatMap(pullSecrets)
  const { secrets = {} } = (record.request ?? {}) as ActionSpec
  const ofRequest = Object.values(secrets).flatMap(({ name, namespace }) =>
    name !== undefined && namespace === record.object.namespace ? [name] : [],
  )
  return [...new Set([...ofPods, ...ofAccounts, ...ofRequest, ...ofBlueprint(record, actions)])].toSorted()
}

function pullSecrets(holder: Json): string[] {
  const { imagePullSecrets = [] } = holder as { readonly imagePullSecrets?: readonly { readonly name?: string }[] }
  return imagePullSecrets.flatMap(({ name }) => name ?? [])
}

/** Those that phases name in `objects`; of templates the name of the object is understood, which is what such names are made from. */
function ofBlueprint({ blueprint, object }: BackupRecord, actions: readonly string[]): string[] {
  const body = blueprint.body as { readonly actions?: Readonly<Record<string, BlueprintAction | undefined>> } | undefined
  return actions.flatMap((action) => {
    const { phases = [], deferPhase } = body?.actions?.[action] ?? {}
    return [...phases, ...(deferPhase ? [deferPhase] : [])].flatMap(({ objects = {} }) =>
      Object.values(objects).flatMap(({ kind = '', resource = '', name = '' }) => {
        const isSecret = kind.toLowerCase() === 'secret' || resource.toLowerCase() === 'secrets'
        const plain = name.replaceAll(
          /\{\{-?\s*\.?(?:StatefulSet|Deployment|Object\.metadata)\.[Nn]ame\s*-?\}\}/g,
          object.name ?? '',
        )
        return isSecret && plain !== '' && !plain.includes('{{') ? [plain] : []
      }),
    )
  })
}

interface BlueprintPhase {
  readonly objects?: Readonly<Record<string, { readonly kind?: string; readonly resource?: string; readonly name?: string }>>
}

interface BlueprintAction {
  readonly phases?: readonly BlueprintPhase[]
  readonly deferPhase?: BlueprintPhase
}

/**
 * Where something that is to work on a copy names the original's namespace: there the restore would go, and overwrite what it should prove.
 * `namespace: shop` in arguments, and names in the cluster's DNS such as `db.shop.svc`. Gives the paths.
 */
export function namesOriginal(value: unknown, namespace: string, path = ''): string[] {
  if (typeof value === 'string') return redirectText(value, namespace, '') === value ? [] : [path]
  if (Array.isArray(value)) return value.flatMap((item, index) => namesOriginal(item, namespace, `${path}[${index}]`))
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) => {
    const at = path === '' ? key : `${path}.${key}`
    return isNamespaceField(key) && item === namespace ? [at] : namesOriginal(item, namespace, at)
  })
}

/** The same value, speaking of the copy wherever it spoke of the original. */
export function redirect<T>(value: T, from: string, to: string): T {
  // Same shape: only the contents of texts change.
  return redirected(value, from, to) as T
}

function redirected(value: unknown, from: string, to: string): unknown {
  if (typeof value === 'string') return redirectText(value, from, to)
  if (Array.isArray(value)) return value.map((item) => redirected(item, from, to))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, isNamespaceField(key) && item === from ? to : redirected(item, from, to)]),
  )
}

function isNamespaceField(key: string): boolean {
  return key.toLowerCase().endsWith('namespace')
}

/** Of a Secret: base64. Bytes that are no text stay as they are. */
export function redirectData(data: Readonly<Record<string, string>>, from: string, to: string): Record<string, string> {
  const redirectOne = (base64: string): string => {
    const bytes = Buffer.from(base64, 'base64')
    const text = bytes.toString()
    return Buffer.from(text).equals(bytes) ? Buffer.from(redirectText(text, from, to)).toString('base64') : base64
  }
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, redirectOne(value)]))
}

/** Names of Services: `db.shop.svc` anywhere, `db.shop` as a whole value or as the host of a URL. */
export function redirectText(text: string, from: string, to: string): string {
  const name = RegExp.escape(from)
  const places = new RegExp(`(?<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\\.${name}(?=\\.svc(?![a-z0-9-]))`, 'g')
  const whole = new RegExp(`^(?<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\\.${name}(?=(?::\\d+)?$)`, 'g')
  const url = new RegExp(`(?<=[/@])(?<host>[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)\\.${name}(?=[:/?]|$)`, 'g')
  const there = (found: string, host: string): string =>
    // The API server's own name is the same for all.
    from === 'default' && host === 'kubernetes' ? found : `${host}.${to}`
  return [places, whole, url].reduce((changed, pattern) => changed.replace(pattern, there), text)
}
