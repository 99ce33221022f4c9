import type { ObjectReference } from '../api/object-reference.ts'

export type Json = Record<string, unknown>

/** An object of the application, as it can be created. */
export interface Manifest extends Json {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown }
}

/** Where an application is to come back. */
export interface Retarget {
  readonly source: ObjectReference
  readonly namespace: string
  readonly name: string
  /** Storage class → the one to be used instead. */
  readonly storageClasses: Readonly<Record<string, string>>
}

/** What an object needs is made before it. */
const order = ['Namespace', 'ServiceAccount', 'Secret', 'ConfigMap', 'PersistentVolumeClaim', 'Service']

/** The manifests of a record as they are to be at the target, in the order in which they are created. Pure. */
export function retarget(manifests: readonly Json[], to: Retarget): Manifest[] {
  const from = to.source.namespace ?? ''
  const moved = manifests.filter(isManifest).map((manifest) => {
    const { metadata } = manifest
    const namespace = metadata.namespace === from ? to.namespace : metadata.namespace
    const named = { ...metadata, name: nameAt(manifest, to), ...(namespace === undefined ? {} : { namespace }) }
    return withStorage({ ...manifest, metadata: named }, to.storageClasses)
  })
  const place = ({ kind }: Manifest): number => (order.includes(kind) ? order.indexOf(kind) : order.length)
  return moved.toSorted((a, b) => place(a) - place(b))
}

function isManifest(value: Json): value is Manifest {
  const { metadata } = value as { readonly metadata?: { readonly name?: unknown } }
  return typeof value['apiVersion'] === 'string' && typeof value['kind'] === 'string' && typeof metadata?.name === 'string'
}

/** The object itself, and the claims that a StatefulSet names after itself. */
function nameAt({ kind, metadata: { name } }: Manifest, { source, name: wanted }: Retarget): string {
  const old = source.name ?? ''
  if (isKind(kind, source) && name === old) return wanted
  const claim =
    kind === 'PersistentVolumeClaim' && isKind('StatefulSet', source)
      ? new RegExp(`^(.+)-${RegExp.escape(old)}-(\\d+)$`).exec(name)
      : null
  return claim ? `${claim[1] ?? ''}-${wanted}-${claim[2] ?? ''}` : name
}

/** Whether a manifest is of the kind that a reference names, by kind or by plural. */
export function isKind(kind: string, { kind: wanted, resource }: ObjectReference): boolean {
  const lower = kind.toLowerCase()
  return lower === wanted?.toLowerCase() || `${lower}s` === resource?.toLowerCase()
}

interface Claimed {
  readonly spec?: {
    readonly storageClassName?: string
    readonly volumeClaimTemplates?: readonly Claimed[]
    readonly [field: string]: unknown
  }
}

function withStorage<T extends Json>(manifest: T, classes: Readonly<Record<string, string>>): T {
  const { spec } = manifest as Claimed
  if (!spec || Object.keys(classes).length === 0) return manifest
  const mapped = spec.storageClassName === undefined ? undefined : classes[spec.storageClassName]
  const templates = spec.volumeClaimTemplates?.map((template) => withStorage(template as Json, classes))
  return {
    ...manifest,
    spec: {
      ...spec,
      ...(mapped === undefined ? {} : { storageClassName: mapped }),
      ...(templates ? { volumeClaimTemplates: templates } : {}),
    },
  }
}

/** A pod's spec as far as it names other objects. */
export interface PodSpec {
  readonly serviceAccountName?: string
  readonly priorityClassName?: string
  readonly runtimeClassName?: string
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly imagePullSecrets?: readonly { readonly name?: string }[]
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly volumes?: readonly {
    readonly secret?: { readonly secretName?: string; readonly optional?: boolean }
    readonly configMap?: { readonly name?: string; readonly optional?: boolean }
  }[]
}

interface Container {
  readonly image?: string
  readonly resources?: {
    readonly requests?: Readonly<Record<string, string>>
    readonly limits?: Readonly<Record<string, string>>
  }
  readonly env?: readonly { readonly valueFrom?: { readonly secretKeyRef?: Ref; readonly configMapKeyRef?: Ref } }[]
  readonly envFrom?: readonly { readonly secretRef?: Ref; readonly configMapRef?: Ref }[]
}

interface Ref {
  readonly name?: string
  readonly optional?: boolean
}

export function podSpecOf(manifest: Json): { readonly spec: PodSpec; readonly replicas: number } | undefined {
  const { spec } = manifest as {
    readonly spec?: { readonly replicas?: number; readonly template?: { readonly spec?: PodSpec } }
  }
  return spec?.template?.spec ? { spec: spec.template.spec, replicas: spec.replicas ?? 1 } : undefined
}

export function containersOf({ containers = [], initContainers = [] }: PodSpec): readonly Container[] {
  return [...initContainers, ...containers]
}

/** Secrets and ConfigMaps without which its pods do not start. */
export function neededBy(spec: PodSpec): ReadonlyArray<{ readonly kind: 'Secret' | 'ConfigMap'; readonly name: string }> {
  const containers = containersOf(spec)
  const refs = (kind: 'Secret' | 'ConfigMap', found: readonly (Ref | undefined)[]) =>
    found.flatMap((ref) => (ref?.name && ref.optional !== true ? [{ kind, name: ref.name }] : []))
  const env = containers.flatMap(({ env: own = [] }) => own)
  const envFrom = containers.flatMap(({ envFrom: own = [] }) => own)
  const volumes = spec.volumes ?? []
  const all = [
    ...refs('Secret', [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef),
      ...envFrom.map(({ secretRef }) => secretRef),
      ...volumes.map(({ secret }) => secret && { ...secret, name: secret.secretName ?? '' }),
    ]),
    ...refs('ConfigMap', [
      ...env.map(({ valueFrom }) => valueFrom?.configMapKeyRef),
      ...envFrom.map(({ configMapRef }) => configMapRef),
      ...volumes.map(({ configMap }) => configMap),
    ]),
  ]
  return [...new Map(all.map((one) => [`${one.kind}/${one.name}`, one])).values()]
}

/** Sizes and classes of the volumes that the manifests ask for. A StatefulSet's claims are counted once, also where they stand by themselves. */
export function claimsOf(
  manifests: readonly Manifest[],
): ReadonlyArray<{ readonly name: string; readonly storageClass?: string; readonly storage: string }> {
  const claims = new Map<string, { readonly name: string; readonly storageClass?: string; readonly storage: string }>()
  const add = (name: string, claim: Json): void => {
    const { storageClassName, resources } = (claim['spec'] ?? {}) as {
      readonly storageClassName?: string
      readonly resources?: { readonly requests?: { readonly storage?: string } }
    }
    if (!claims.has(name))
      claims.set(name, {
        name,
        ...(storageClassName === undefined ? {} : { storageClass: storageClassName }),
        storage: resources?.requests?.storage ?? '0',
      })
  }
  for (const manifest of manifests) if (manifest.kind === 'PersistentVolumeClaim') add(manifest.metadata.name, manifest)
  for (const { kind, metadata, spec } of manifests) {
    if (kind !== 'StatefulSet') continue
    const { replicas = 1, volumeClaimTemplates = [] } = spec as {
      readonly replicas?: number
      readonly volumeClaimTemplates?: readonly Json[]
    }
    for (const template of volumeClaimTemplates)
      for (let index = 0; index < replicas; index++)
        add(
          `${(template['metadata'] as { readonly name?: string } | undefined)?.name ?? ''}-${metadata.name}-${index}`,
          template,
        )
  }
  return [...claims.values()]
}
