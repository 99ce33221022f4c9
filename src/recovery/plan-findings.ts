import type { Blueprint } from '../api/blueprint.ts'
import { type ObjectReference, kindOrResource } from '../api/object-reference.ts'
import type { BackupRecord } from '../catalog/record.ts'
import { kinds } from '../kube/kinds.ts'
import { defineResource, type Unstructured } from '../kube/objects.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import type { LocatedData } from './data-sources.ts'
import type { BlueprintPlan } from './import-blueprints.ts'
import type { ImportTarget } from './import-catalog.ts'
import { type RecoveryCluster, look, mayDo } from './look.ts'
import { type Manifest, type PodSpec, claimsOf, containersOf, isKind, neededBy, podSpecOf } from './manifests.ts'
import type { PlannedObject } from './plan-objects.ts'
import { parseQuantity } from './quantity.ts'
import type { RestoreRequest } from './restore-plan.ts'

/** What would make a restore fail, or deserves a look. */
export interface PlanFinding {
  readonly level: 'blocker' | 'warning'
  readonly code: string
  readonly message: string
}

export interface Planned {
  readonly record: BackupRecord
  readonly target: ObjectReference
  readonly manifests: readonly Manifest[]
  readonly objects: readonly PlannedObject[]
  readonly isTarget: (manifest: Manifest) => boolean
  readonly request: RestoreRequest
  readonly data: LocatedData
  readonly blueprint?: BlueprintPlan
}

type Cluster = RecoveryCluster & ImportTarget

const blocker = (code: string, message: string): PlanFinding => ({ level: 'blocker', code, message })
const warning = (code: string, message: string): PlanFinding => ({ level: 'warning', code, message })

const storageClasses = defineResource<Unstructured>({
  group: 'storage.k8s.io',
  version: 'v1',
  resource: 'storageclasses',
  namespaced: false,
})
const priorityClasses = defineResource<Unstructured>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  resource: 'priorityclasses',
  namespaced: false,
})
const runtimeClasses = defineResource<Unstructured>({
  group: 'node.k8s.io',
  version: 'v1',
  resource: 'runtimeclasses',
  namespaced: false,
})
const quotas = defineResource<Unstructured>({ group: '', version: 'v1', resource: 'resourcequotas' })

export async function findingsAbout(cluster: Cluster, planned: Planned): Promise<PlanFinding[]> {
  const workload = planned.manifests.find((manifest) => podSpecOf(manifest))
  const pods = workload && podSpecOf(workload)
  const namespace = workload?.metadata.namespace ?? planned.target.namespace ?? ''
  return [
    ...aboutData(planned),
    ...(await aboutEngine(cluster, planned)),
    ...aboutTarget(planned),
    ...(await aboutStorage(cluster, planned.manifests)),
    ...(pods ? await aboutPods(cluster, pods.spec, planned.manifests, namespace) : []),
    ...(await aboutQuota(cluster, planned, namespace)),
  ]
}

function aboutData({ data, record }: Planned): PlanFinding[] {
  const lost = data.missing.map((message) =>
    blocker(/no key given opens/.test(message) ? 'locked-repository' : 'data-missing', `data: ${message}`),
  )
  return data.sources.length === 0 && lost.length === 0 && Object.keys(record.artifacts).length > 0
    ? [
        warning(
          'data-unknown',
          'data: the artifacts name nothing in the bucket that is known here; the Blueprint may know better',
        ),
      ]
    : lost
}

async function aboutEngine(cluster: Cluster, { record, request, blueprint }: Planned): Promise<PlanFinding[]> {
  const { kube, signal, namespace } = cluster
  const findings: PlanFinding[] = []
  // No object has this label: whether the kind is known is all that is asked, and there may be ten thousand of them.
  const none = { namespace, labelSelector: 'holdfast.dev/none', signal }
  const engine = await look(cluster, () => kube.resource(ownKinds.actionSets).list(none))
  if ('found' in engine && !engine.found)
    return [blocker('engine-missing', 'the engine is not installed in this cluster: it knows no ActionSet')]
  if (!(await mayDo(cluster, { verb: 'create', group: 'cr.kanister.io', resource: 'actionsets', namespace })))
    findings.push(blocker('missing-right', `you may not create actionsets in namespace ${namespace}`))
  const kept = blueprint?.object
  const named = kept
    ? undefined
    : await look(cluster, () =>
        kube.resource<Blueprint>(ownKinds.blueprints).find({ namespace, name: record.blueprint.name }, { signal }),
      )
  const usable = kept ?? (named && 'found' in named ? named.found : undefined)
  if (!usable)
    findings.push(
      blocker(
        'no-blueprint',
        `Blueprint ${record.blueprint.name} is neither in the record nor in namespace ${namespace}: apply it`,
      ),
    )
  else if (!usable.actions?.[request.action])
    findings.push(
      blocker(
        'no-action',
        `Blueprint ${record.blueprint.name} has no action "${request.action}" (it has ${Object.keys(usable.actions ?? {}).join(', ')}): name one with --action`,
      ),
    )
  else
    for (const artifact of usable.actions[request.action]?.inputArtifactNames ?? [])
      if (!record.artifacts[artifact])
        findings.push(
          blocker(
            'artifact-missing',
            `action "${request.action}" wants the artifact "${artifact}", which this backup does not have`,
          ),
        )
  if (
    kept &&
    blueprint?.what === 'create' &&
    !(await mayDo(cluster, { verb: 'create', group: 'cr.kanister.io', resource: 'blueprints', namespace }))
  )
    findings.push(blocker('missing-right', `you may not create blueprints in namespace ${namespace}`))
  if (isNewer(record.engineVersion, request.engineVersion))
    findings.push(
      warning('engine-older', `the backup was made by Holdfast ${record.engineVersion}, and this is ${request.engineVersion}`),
    )
  if (record.blueprint.changed)
    findings.push(
      warning('blueprint-changed', `Blueprint ${record.blueprint.name} was edited while the backup ran; the later one is used`),
    )
  return findings
}

function aboutTarget({ record, objects, isTarget, target, request }: Planned): PlanFinding[] {
  const findings: PlanFinding[] = []
  const own = objects.find(({ manifest }) => isTarget(manifest))
  const named = `${kindOrResource(target) || 'object'} ${target.namespace ?? ''}/${target.name ?? ''}`
  if (!own && !request.intoExisting && !isKind('Namespace', target))
    findings.push(
      blocker(
        'no-manifest',
        `the record has no manifest of ${named}: create the application as it was, then restore into it with --into-existing`,
      ),
    )
  for (const omitted of record.omitted ?? []) findings.push(warning('left-out', `left out of the record: ${omitted}`))
  const renamed = target.name !== record.object.name && target.namespace === record.object.namespace
  if (renamed && own?.what === 'create')
    findings.push(
      warning(
        'same-labels',
        `${named} has the labels of ${record.object.name ?? ''}: Services of this namespace select the pods of both`,
      ),
    )
  return findings
}

async function aboutStorage(cluster: Cluster, manifests: readonly Manifest[]): Promise<PlanFinding[]> {
  const claims = claimsOf(manifests)
  if (claims.length === 0) return []
  const seen = await look(cluster, () => cluster.kube.resource(storageClasses).list({ signal: cluster.signal }))
  if ('unknown' in seen) return [warning('storage-unseen', `storage classes cannot be looked at: ${seen.unknown}`)]
  const classes = seen.found?.items ?? []
  const names = classes.map(({ metadata }) => metadata.name)
  const hasDefault = classes.some(
    ({ metadata }) => metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true',
  )
  const wanted = new Set(claims.flatMap(({ storageClass }) => storageClass || []))
  const missing = [...wanted].filter((name) => !names.includes(name))
  return [
    ...missing.map((name) =>
      blocker(
        'storage-class',
        `storage class ${name} does not exist here (there are ${names.join(', ') || 'none'}): map it with --storage-class ${name}=OTHER`,
      ),
    ),
    ...(!hasDefault && claims.some(({ storageClass }) => storageClass === undefined)
      ? [blocker('no-default-storage', 'volumes ask for the default storage class, and there is none here')]
      : []),
  ]
}

async function aboutPods(
  cluster: Cluster,
  spec: PodSpec,
  manifests: readonly Manifest[],
  namespace: string,
): Promise<PlanFinding[]> {
  const { kube, signal } = cluster
  const findings: PlanFinding[] = []
  const comes = (kind: string, name: string): boolean =>
    manifests.some((manifest) => manifest.kind === kind && manifest.metadata.name === name)
  const wanted = [
    ...neededBy(spec),
    ...(spec.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [{ kind: 'Secret' as const, name }] : [])),
  ]
  for (const { kind, name } of wanted) {
    if (comes(kind, name)) continue
    const seen = await look(cluster, () =>
      kube
        .resource<Unstructured>(kind === 'Secret' ? (kinds.secrets as never) : (kinds.configMaps as never))
        .find({ namespace, name }, { signal }),
    )
    if ('found' in seen && !seen.found)
      findings.push(
        blocker(
          kind === 'Secret' ? 'secret-missing' : 'config-map-missing',
          `${kind} ${namespace}/${name}, which the pods need, is neither in the record nor here: create it before`,
        ),
      )
  }
  for (const [def, name, code] of [
    [priorityClasses, spec.priorityClassName, 'priority-class'],
    [runtimeClasses, spec.runtimeClassName, 'runtime-class'],
  ] as const) {
    if (!name) continue
    const seen = await look(cluster, () => kube.resource(def).find({ name }, { signal }))
    if ('found' in seen && !seen.found) findings.push(blocker(code, `${code.replace('-', ' ')} ${name} does not exist here`))
  }
  const selector = Object.entries(spec.nodeSelector ?? {})
  if (selector.length === 0) return findings
  const nodes = await look(cluster, () => kube.resource(kinds.nodes).list({ signal }))
  const fits =
    'unknown' in nodes ||
    (nodes.found?.items ?? []).some(({ metadata }) => selector.every(([label, value]) => metadata.labels?.[label] === value))
  if (!fits)
    findings.push(
      blocker(
        'no-node',
        `no node has the labels ${selector.map(([label, value]) => `${label}=${value}`).join(', ')} that the pods ask for`,
      ),
    )
  return findings
}

async function aboutQuota(cluster: Cluster, { manifests, objects }: Planned, namespace: string): Promise<PlanFinding[]> {
  const created = manifests.filter((manifest) => objects.some((one) => one.manifest === manifest && one.what === 'create'))
  const seen = await look(cluster, () => cluster.kube.resource(quotas).list({ namespace, signal: cluster.signal }))
  if ('unknown' in seen) return []
  const needs = needsOf(created)
  return (seen.found?.items ?? []).flatMap((quota) => {
    const { hard = {}, used = {} } = (quota['status'] ?? {}) as {
      readonly hard?: Readonly<Record<string, string>>
      readonly used?: Readonly<Record<string, string>>
    }
    return Object.entries(needs).flatMap(([what, amount]) => {
      const limit = hard[what]
      if (limit === undefined || amount === 0 || parseQuantity(used[what] ?? '0') + amount <= parseQuantity(limit)) return []
      return [
        blocker(
          'quota',
          `quota ${quota.metadata.name}: ${what} is limited to ${limit}, ${used[what] ?? '0'} is used, and the restore needs ${amount} more`,
        ),
      ]
    })
  })
}

function needsOf(manifests: readonly Manifest[]): Record<string, number> {
  const claims = claimsOf(manifests)
  const needs: Record<string, number> = {
    persistentvolumeclaims: claims.length,
    'requests.storage': claims.reduce((sum, { storage }) => sum + parseQuantity(storage), 0),
    pods: 0,
  }
  for (const manifest of manifests) {
    const pods = podSpecOf(manifest)
    if (!pods) continue
    needs['pods'] = (needs['pods'] ?? 0) + pods.replicas
    for (const { resources } of containersOf({ ...pods.spec, initContainers: [] })) {
      for (const unit of ['cpu', 'memory']) {
        const [request, limit] = [resources?.requests?.[unit] ?? resources?.limits?.[unit], resources?.limits?.[unit]]
        for (const [name, value] of [
          [`requests.${unit}`, request],
          [unit, request],
          [`limits.${unit}`, limit],
        ] as const)
          if (value !== undefined) needs[name] = (needs[name] ?? 0) + parseQuantity(value) * pods.replicas
      }
    }
  }
  return needs
}

function isNewer(a: string, b: string): boolean {
  const parts = (text: string): number[] => text.split(/[.-]/).map((part) => Number(part) || 0)
  const [left, right] = [parts(a), parts(b)]
  for (let index = 0; index < 3; index++)
    if ((left[index] ?? 0) !== (right[index] ?? 0)) return (left[index] ?? 0) > (right[index] ?? 0)
  return false
}
