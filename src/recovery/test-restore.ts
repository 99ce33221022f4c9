import { names } from '../api/names.ts'
import { kubeError } from '../kube/errors.ts'
import { kinds, type Namespace, type Secret } from '../kube/kinds.ts'
import { defineResource } from '../kube/objects.ts'
import { recoveryError } from './errors.ts'
import type { OpenedBackup } from './find-backup.ts'
import type { ImportTarget } from './import-catalog.ts'
import { type RecoveryCluster, look, mayDo } from './look.ts'
import type { RecoveryPlace } from './place.ts'
import type { PlanFinding } from './plan-findings.ts'
import { makeApplication } from './restore-application.ts'
import { blockersOf, planRestore, type RestorePlan } from './restore-plan.ts'
import { namesOriginal, neededSecrets, redirectData, tame } from './tame-manifests.ts'

/** Rights that the default installation does not give. */
export const rightsFile = 'deploy/verification.yaml'

export interface TestRestoreRequest {
  /** The throw-away namespace; made here. */
  readonly namespace: string
  /** Label of the namespace and of all that is made in it. */
  readonly label: string
  /** Of the namespace: whose it is. */
  readonly annotations: Readonly<Record<string, string>>
  readonly action: string
  /** The action that looks at what was restored: what it needs comes along too. */
  readonly verifyAction?: string
  readonly options: Readonly<Record<string, string>>
  readonly storageClasses: Readonly<Record<string, string>>
  readonly copySecrets: boolean
  /** Its pods speak with each other only, where the cluster heeds NetworkPolicies. */
  readonly isolate: boolean
  /** Codes of blockers that do not stop it. */
  readonly accept: readonly string[]
  readonly engineVersion: string
  readonly readyTimeoutMs: number
}

export interface TestRestore {
  readonly plan: RestorePlan
  /** What deserves a look. */
  readonly notes: readonly string[]
}

type Cluster = RecoveryCluster & ImportTarget

/** Whatever a test restore needs beyond the default rights. */
const wantedRights = [
  { verb: 'create', group: '', resource: 'namespaces' },
  { verb: 'delete', group: '', resource: 'namespaces' },
] as const

/** RECOVERY_BLOCKED when the rights for a throw-away namespace are missing. */
export async function refuseWithoutRights(cluster: RecoveryCluster): Promise<void> {
  for (const right of wantedRights)
    if (!(await mayDo(cluster, right))) {
      const text = `the engine may not ${right.verb} ${right.resource}, which a test restore needs: apply ${rightsFile}, or leave \`restore\` out`
      throw recoveryError('RECOVERY_BLOCKED', text, { details: { right: `${right.verb} ${right.resource}` } })
    }
}

/**
 * Makes the application of a backup again in a namespace of its own, up to the point at which its data can be restored: namespace, Secrets,
 * manifests, readiness. Nothing of the original is touched. RECOVERY_BLOCKED with all blockers when the plan has any; `details.lacksData` then says
 * whether it is the backup that is no good.
 */
export async function makeTestApplication(
  place: RecoveryPlace,
  cluster: Cluster,
  backup: OpenedBackup,
  request: TestRestoreRequest,
): Promise<TestRestore> {
  const { record } = backup
  const source = record.object.namespace ?? record.object.name ?? ''
  const actions = [request.action, ...(request.verifyAction === undefined ? [] : [request.verifyAction])]
  refuse(aboutOriginal(backup, request, source, actions), request.accept)
  await makeNamespace(cluster, request, source)
  if (request.isolate) await isolate(cluster, request)
  if (request.copySecrets) await copySecrets(cluster, neededSecrets(record, actions), request, source)
  const mark = { [names.verification]: request.label }
  const plan = await planRestore(place, cluster, backup, {
    toNamespace: request.namespace,
    storageClasses: request.storageClasses,
    intoExisting: false,
    overwrite: 'never',
    action: request.action,
    options: request.options,
    // Only the restore itself can tell whether the Blueprint's own key opens a repository.
    accept: [...request.accept, 'locked-repository'],
    engineVersion: request.engineVersion,
    change: (manifest) => tame(manifest, { mark, from: source, to: request.namespace }),
  })
  refuse(blockersOf(plan, [...request.accept, 'locked-repository']), [])
  await makeApplication(cluster, plan, { readyTimeoutMs: request.readyTimeoutMs, say: () => undefined, made: [] })
  const notes = plan.findings.filter(({ level }) => level === 'warning').map(({ message }) => message)
  return { plan, notes }
}

const lacking: readonly string[] = ['data-missing', 'artifact-missing']

function refuse(findings: readonly PlanFinding[], accept: readonly string[]): void {
  const blockers = findings.filter(({ code }) => !accept.includes(code))
  if (blockers.length === 0) return
  const list = blockers.map(({ code, message }) =>
    code === 'missing-right' ? `${message.replace(/^you /, 'the engine ')} (${rightsFile} gives the usual ones)` : message,
  )
  throw recoveryError('RECOVERY_BLOCKED', `the test restore cannot be made: ${list.join('; ')}`, {
    details: {
      lacksData: blockers.some(({ code }) => lacking.includes(code)),
      codes: blockers.map(({ code }) => code).join(','),
    },
  })
}

/** Manifests and Secrets are redirected; what the Blueprint itself says is run as it stands. */
function aboutOriginal(
  { record }: OpenedBackup,
  { options }: TestRestoreRequest,
  source: string,
  actions: readonly string[],
): PlanFinding[] {
  const { actions: all = {} } = (record.blueprint.body ?? {}) as { readonly actions?: Readonly<Record<string, unknown>> }
  const request = (record.request ?? {}) as {
    readonly options?: Readonly<Record<string, string>>
    readonly podOverride?: unknown
  }
  const places = [
    ...actions.flatMap((action) =>
      namesOriginal(all[action], source).map((at) => `action ${action} of Blueprint ${record.blueprint.name} at ${at}`),
    ),
    ...Object.entries({ ...request.options, ...options }).flatMap(([name, value]) =>
      value === source || namesOriginal(value, source).length > 0 ? [`option ${name}`] : [],
    ),
  ]
  return places.map((at) => ({
    level: 'blocker',
    code: 'names-original',
    message: `${at} names the namespace ${source} of the original, so a copy would work on that: use what the templates know of the object, or accept names-original when it does no harm`,
  }))
}

async function makeNamespace(cluster: Cluster, request: TestRestoreRequest, source: string): Promise<void> {
  const { kube, signal } = cluster
  const namespaces = kube.resource(kinds.namespaces)
  const seen = await look(cluster, () => namespaces.find({ name: source }, { signal }))
  const labels = 'found' in seen ? (seen.found?.metadata.labels ?? {}) : {}
  const security = Object.entries(labels).filter(([name]) => name.startsWith('pod-security.kubernetes.io/'))
  const metadata = {
    name: request.namespace,
    labels: { ...Object.fromEntries(security), [names.verification]: request.label },
    annotations: { ...request.annotations },
  }
  try {
    await namespaces.create({ apiVersion: 'v1', kind: 'Namespace', metadata } as Namespace, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    const found = await namespaces.find({ name: request.namespace }, { signal })
    const [name, uid] = Object.entries(request.annotations).find(([key]) => key === names.verificationUid) ?? []
    if (found?.metadata.deletionTimestamp === undefined && name !== undefined && found?.metadata.annotations?.[name] === uid)
      return
    throw recoveryError('RECOVERY_BLOCKED', `namespace ${request.namespace} is there and was not made for this: remove it`)
  }
}

const networkPolicies = defineResource({ group: 'networking.k8s.io', version: 'v1', resource: 'networkpolicies' })

/** What the application does by itself when it starts (send, pull, replicate) reaches nobody. */
async function isolate({ kube, signal }: Cluster, { namespace, label }: TestRestoreRequest): Promise<void> {
  const dns = ['UDP', 'TCP'].map((protocol) => ({ protocol, port: 53 }))
  const policy = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'holdfast-verification', namespace, labels: { [names.verification]: label } },
    spec: { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ podSelector: {} }] }, { ports: dns }] },
  }
  try {
    await kube.resource(networkPolicies).create(policy, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
  }
}

/** Hosts in them are those of the copy. Secrets that are gone are left to the plan, which names what the pods lack. */
async function copySecrets(
  { kube, signal }: Cluster,
  wanted: readonly string[],
  { namespace, label }: TestRestoreRequest,
  source: string,
): Promise<void> {
  const secrets = kube.resource(kinds.secrets)
  for (const name of wanted) {
    const found = await secrets.find({ namespace: source, name }, { signal })
    if (!found) continue
    const metadata = { name, namespace, labels: { [names.verification]: label } }
    const data = redirectData(found.data ?? {}, source, namespace)
    const copy = { apiVersion: 'v1', kind: 'Secret', metadata, type: found.type, data }
    try {
      await secrets.create(copy as Secret, { signal })
    } catch (error) {
      if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    }
  }
}
