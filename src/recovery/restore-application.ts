import type { ActionSet } from '../api/actionset.ts'
import { names } from '../api/names.ts'
import { messageOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import type { Unstructured } from '../kube/objects.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { recoveryError } from './errors.ts'
import { applyBlueprint } from './import-blueprints.ts'
import type { ImportTarget } from './import-catalog.ts'
import type { RecoveryCluster } from './look.ts'
import { podSpecOf } from './manifests.ts'
import type { PlannedObject } from './plan-objects.ts'
import type { RestorePlan } from './restore-plan.ts'

type Cluster = RecoveryCluster & ImportTarget

export interface RestoreOptions {
  readonly suffix: string
  /** How long the application may take to become ready. */
  readonly readyTimeoutMs: number
  readonly say: (line: string) => void
}

/**
 * Makes what the plan says, in its order, waits until the application is ready and asks the engine for the data. Gives the name of the
 * ActionSet, which then runs. Fails with what was made until then, so that somebody can go on from there.
 */
export async function restoreApplication(
  cluster: Cluster,
  plan: RestorePlan,
  { suffix, readyTimeoutMs, say }: RestoreOptions,
): Promise<string> {
  const made: string[] = []
  try {
    await makeApplication(cluster, plan, { readyTimeoutMs, say, made })
    const { metadata } = await cluster.kube
      .resource(ownKinds.actionSets)
      .create(actionSetOf(cluster, plan, suffix), { signal: cluster.signal })
    say(`  created ActionSet ${metadata.name}`)
    return metadata.name
  } catch (error) {
    cluster.signal.throwIfAborted()
    throw recoveryError('RECOVERY_APPLICATION', `${messageOf(error)}. ${stateOf(plan, made)}`, { cause: error })
  }
}

/** Everything of a plan but the data: objects in their order, readiness, the Blueprint. `made` gets the names of what was made or changed. */
export async function makeApplication(
  cluster: Cluster,
  plan: RestorePlan,
  { readyTimeoutMs, say, made }: Omit<RestoreOptions, 'suffix'> & { readonly made: string[] },
): Promise<void> {
  for (const object of plan.objects) {
    await applyObject(cluster, object)
    if (object.what !== 'keep') made.push(nameOf(object))
    say(`  ${said[object.what]} ${nameOf(object)}`)
  }
  await waitReady(cluster, plan, readyTimeoutMs, say)
  if (plan.blueprint && (await applyBlueprint(cluster, plan.blueprint))) say(`  created Blueprint ${plan.blueprint.name}`)
}

const said = { create: 'created', keep: 'kept', replace: 'replaced' } as const

function stateOf(plan: RestorePlan, made: readonly string[]): string {
  const so = made.length === 0 ? 'Nothing was made or changed' : `Made until then: ${made.join(', ')}`
  return `${so}; no data was restored. When the cause is gone, go on with: holdfast backup restore ${plan.backup} … --into-existing`
}

async function applyObject({ kube, signal }: Cluster, { what, manifest, resource }: PlannedObject): Promise<void> {
  if (what === 'keep' || !resource) return
  const def = { ...resource, namespaced: manifest.metadata.namespace !== undefined }
  const objects = kube.resource<Unstructured>(def)
  const { name, namespace } = manifest.metadata
  if (what === 'replace') {
    await objects.patch({ name, namespace }, manifest, { type: 'apply', fieldManager: 'holdfast-restore', force: true, signal })
    return
  }
  try {
    await objects.create(manifest as unknown as Unstructured, { signal, fieldManager: 'holdfast-restore' })
  } catch (error) {
    // Made meanwhile by a controller, or by an earlier try whose answer was lost; the plan said that it was not there.
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
  }
}

async function waitReady(
  { kube, signal }: Cluster,
  plan: RestorePlan,
  timeoutMs: number,
  say: RestoreOptions['say'],
): Promise<void> {
  const { kind = '', name = '', namespace = '' } = plan.target
  const own = plan.objects.find(({ manifest }) => manifest.metadata.name === name && podSpecOf(manifest))
  const replicas = own && podSpecOf(own.manifest)?.replicas
  if (!own || !replicas || own.what === 'keep') return
  say(`  waiting for ${kind} ${namespace}/${name} to be ready`)
  // To the count that it has: this waits and changes nothing.
  await kube.workloads.scale({ kind: own.manifest.kind, namespace, name }, replicas, { signal, timeoutMs })
}

function actionSetOf({ namespace }: ImportTarget, { backup, spec }: RestorePlan, suffix: string): ActionSet {
  const name = `restore-${backup.replace(/^backup-/, '').slice(0, 40)}-${suffix}`
  const metadata = { name, namespace, annotations: { 'holdfast.dev/restored-from': backup } }
  // The server fills in the rest of the metadata.
  return {
    apiVersion: `${names.kanisterGroup}/${names.version}`,
    kind: 'ActionSet',
    metadata,
    // Nothing else works on the application meanwhile.
    spec: { serialize: 'Object', actions: [spec] },
  } as unknown as ActionSet
}

export function nameOf({ manifest: { kind, metadata } }: Pick<PlannedObject, 'manifest'>): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`
}

/** What is known of the application after the engine's action failed. */
export function stateAfterFailure(plan: RestorePlan, actionSet: string, namespace: string): string {
  const { kind = '', name = '', namespace: where = '' } = plan.target
  return [
    `State: ${kind} ${where}/${name} is there, and its data is NOT restored, or only a part of it: do not let users in.`,
    `What failed: kubectl get actionset -n ${namespace} ${actionSet} -o yaml`,
    `To go on when the cause is gone: holdfast backup restore ${plan.backup} … --into-existing`,
    ...(plan.objects.some(({ what }) => what === 'create')
      ? [
          `To begin anew: delete what was created (${plan.objects
            .filter(({ what }) => what === 'create')
            .map(nameOf)
            .join(', ')}) and restore again`,
        ]
      : []),
  ].join('\n')
}
