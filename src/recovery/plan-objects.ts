import { messageOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import { kinds } from '../kube/kinds.ts'
import type { ResourceName, Unstructured } from '../kube/objects.ts'
import { type RecoveryCluster, look, mayDo } from './look.ts'
import type { Manifest } from './manifests.ts'
import type { PlanFinding } from './plan-findings.ts'
import type { RestoreRequest } from './restore-plan.ts'

/** What becomes of one object of the application. */
export interface PlannedObject {
  readonly what: 'create' | 'keep' | 'replace'
  readonly manifest: Manifest
  readonly resource?: ResourceName
  readonly finding?: readonly PlanFinding[]
}

interface Wanted {
  readonly manifests: readonly Manifest[]
  readonly namespace: string
  readonly isTarget: (manifest: Manifest) => boolean
  readonly request: Pick<RestoreRequest, 'overwrite' | 'intoExisting'>
}

/** Every object in order, the namespace before them. */
export async function planObjects(cluster: RecoveryCluster, wanted: Wanted): Promise<PlannedObject[]> {
  const { kube, signal } = cluster
  const { namespace, manifests } = wanted
  const seen = await look(cluster, () => kube.resource(kinds.namespaces).find({ name: namespace }, { signal }))
  const isThere = 'unknown' in seen || seen.found !== undefined
  const own: Manifest = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }
  const first = namespace === '' || isThere || manifests.some(({ kind }) => kind === 'Namespace') ? [] : [own]
  const terminating = 'found' in seen && seen.found?.metadata.deletionTimestamp !== undefined
  const planned: PlannedObject[] = []
  for (const manifest of [...first, ...manifests]) planned.push(await planObject(cluster, manifest, { ...wanted, isThere }))
  if (!terminating) return planned
  const finding = {
    level: 'blocker',
    code: 'namespace-terminating',
    message: `namespace ${namespace} is being deleted: wait until it is gone`,
  } as const
  return planned.map((one, index) => (index === 0 ? { ...one, finding: [...(one.finding ?? []), finding] } : one))
}

async function planObject(
  cluster: RecoveryCluster,
  manifest: Manifest,
  { isThere, isTarget, request }: Wanted & { readonly isThere: boolean },
): Promise<PlannedObject> {
  const { kube, signal } = cluster
  const { kind, apiVersion, metadata } = manifest
  const named = `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`
  const known = await look(cluster, () => kube.discover(apiVersion, kind, { signal }))
  if (!('found' in known) || !known.found) {
    const why = 'unknown' in known ? known.unknown : `this cluster knows no ${kind} of ${apiVersion}: install what brings it`
    return { what: 'create', manifest, finding: [{ level: 'blocker', code: 'kind-unknown', message: `${named}: ${why}` }] }
  }
  const { group, version, resource, namespaced } = known.found
  const name = { group, version, resource }
  const where = namespaced ? { namespace: metadata.namespace, name: metadata.name } : { name: metadata.name }
  const found = await look(cluster, () => kube.resource<Unstructured>({ ...name, namespaced }).find(where, { signal }))
  const exists = 'found' in found && found.found !== undefined
  const isData = isTarget(manifest) || kind === 'PersistentVolumeClaim'
  // One that is there may have been rotated since.
  const isKept = isData || ['ServiceAccount', 'Secret', 'Namespace'].includes(kind)
  const what = !exists ? 'create' : request.overwrite === 'replace' && !isKept ? 'replace' : 'keep'
  const finding: PlanFinding[] = []
  if (exists && isData && !request.intoExisting) {
    const message = `${named} is there already: the restore would overwrite what it holds. Restore elsewhere with --to-namespace or --name, or say --into-existing`
    finding.push({ level: 'blocker', code: isTarget(manifest) ? 'target-exists' : 'volume-exists', message })
  }
  if (what !== 'keep') {
    const verb = what === 'create' ? 'create' : 'patch'
    const allowed = await mayDo(cluster, {
      verb,
      group,
      resource,
      ...(namespaced && metadata.namespace !== undefined ? { namespace: metadata.namespace } : {}),
    })
    if (!allowed)
      finding.push({
        level: 'blocker',
        code: 'missing-right',
        message: `you may not ${verb} ${resource}${metadata.namespace === undefined ? '' : ` in namespace ${metadata.namespace}`}`,
      })
    else if (what === 'create' && isThere) finding.push(...(await refusal(cluster, manifest, { ...name, namespaced }, named)))
  }
  return { what, manifest, resource: name, ...(finding.length > 0 ? { finding } : {}) }
}

/** What the server itself says: admission, quota, names that are taken. */
async function refusal(
  { kube, signal }: RecoveryCluster,
  manifest: Manifest,
  def: ResourceName & { readonly namespaced: boolean },
  named: string,
): Promise<PlanFinding[]> {
  try {
    await kube.resource<Unstructured>(def).create(manifest as unknown as Unstructured, { signal, dryRun: true })
    return []
  } catch (error) {
    signal.throwIfAborted()
    if (kubeError.is(error, 'KUBE_ALREADY_EXISTS', 'KUBE_NOT_FOUND')) return []
    return [{ level: 'blocker', code: 'refused', message: `the server refuses ${named}: ${messageOf(error)}` }]
  }
}
