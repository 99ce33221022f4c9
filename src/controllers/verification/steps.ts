import type { ActionSet, ActionSpec } from '../../api/actionset.ts'
import { names } from '../../api/names.ts'
import type { Run } from '../../api/run.ts'
import type { Verification, VerificationStatus, VerificationStepName } from '../../api/verification.ts'
import type { Clock } from '../../base/clock.ts'
import { retry } from '../../base/backoff.ts'
import { HoldfastError, messageOf, nextOf } from '../../base/errors.ts'
import { withDeadline } from '../../base/deadline.ts'
import { kubeError } from '../../kube/errors.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { getBackupByKey, lookAtBackup } from '../../recovery/look-at-backup.ts'
import type { makeTestApplication, refuseWithoutRights } from '../../recovery/test-restore.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { failedElsewhere } from './blame.ts'
import { checkActions, ensureCheckBlueprint, judgeCheck } from './check-blueprint.ts'
import { compare } from './compare.ts'
import { mostAttempts, restoreTimeoutMs } from './decide.ts'
import { actionSetName, labelOf, namespaceName, ownerReference, ownershipOf } from './derived-names.ts'
import type { OpenProofPlace } from './place.ts'
import { hasFailed, type Outcome } from './progress.ts'
import { removeNamespace, stopActionSets } from './test-namespace.ts'

export interface StepDeps {
  readonly kube: Kube
  readonly clock: Clock
  readonly log: Logger
  readonly openPlace: OpenProofPlace
  /** Of this program: compared with that of the backup. */
  readonly engineVersion: string
  readonly makeTestApplication: typeof makeTestApplication
  readonly refuseWithoutRights: typeof refuseWithoutRights
}

export interface StepWork {
  readonly deps: StepDeps
  readonly verification: Live<Verification>
  readonly status: VerificationStatus
  readonly signal: AbortSignal
}

/** What a step did: it is over, or an ActionSet does the rest. */
export type StepResult = { readonly outcome: Outcome } | { readonly actionSet: string }

/** Reading records and chains; the largest catalogs take a minute. */
const catalogMs = 15 * 60_000

/** What the API server or the store do not answer is asked again for so long. */
const patienceMs = 10 * 60_000

/**
 * Carries out a step up to the point at which somebody else works on. What keeps it from that is its outcome; thrown is only what interrupted it:
 * the signal, or a passing trouble in the middle of a restore, which begins anew.
 */
export async function carryOut(work: StepWork, name: VerificationStepName): Promise<StepResult> {
  const { signal, deps, status } = work
  try {
    if (name === 'restore') return await startRestore(work)
    return await retry(() => tryOnce(work, name), { signal, clock: deps.clock, budgetMs: patienceMs, maxMs: 30_000 })
  } catch (error) {
    signal.throwIfAborted()
    // What did not become ready in its time had all the time there was.
    const isPassing = nextOf(error) === 'retry' && !kubeError.is(error, 'KUBE_SCALE_TIMEOUT')
    if (name === 'restore' && isPassing && (status.attempt ?? 1) < mostAttempts) throw error
    const disproved = error instanceof HoldfastError && error.details['lacksData'] === true
    return { outcome: { state: 'failed', message: messageOf(error), ...(disproved ? { disproved } : {}) } }
  }
}

async function tryOnce(work: StepWork, name: Exclude<VerificationStepName, 'restore'>): Promise<StepResult> {
  switch (name) {
    case 'catalog':
      return { outcome: await lookAtCatalog(work) }
    case 'check':
      return await startCheck(work)
    case 'verify':
      return await startVerify(work)
    case 'clean':
      return { outcome: await clean(work) }
  }
}

/** How the ActionSet of a step ended. `run`: its journal, which knows more of a failure. */
export function judge(name: VerificationStepName, actionSet: ActionSet, run?: Pick<Run, 'status'>): Outcome {
  if (name === 'check') return judgeCheck(actionSet)
  const { status, spec } = actionSet
  if (status?.state === 'failed') {
    const message = status.error?.message || `ActionSet ${actionSet.metadata.name} failed without a word`
    // What was stopped, or never begun, says nothing about the backup.
    const wasTried = status.reason === undefined || status.reason === 'Failed'
    return { state: 'failed', message, disproved: wasTried && !failedElsewhere(run) }
  }
  if (name !== 'verify') return { state: 'complete' }
  return compare(spec?.actions?.[0]?.artifacts ?? {}, status?.actions?.[0]?.artifacts ?? {})
}

async function lookAtCatalog({ deps, verification, signal }: StepWork): Promise<Outcome> {
  const { spec } = verification
  const look = await withDeadline('the look at the catalog', catalogMs, signal, async (until) => {
    const { place } = await deps.openPlace(spec.profile, until)
    return await lookAtBackup(place, spec.record, until)
  })
  const { damage, notes, repositories } = look
  if (damage.length > 0) return { state: 'failed', message: damage.join('; '), disproved: true }
  return { state: 'complete', repositories, ...(notes.length > 0 ? { message: notes.join('; ') } : {}) }
}

async function startCheck({ deps, verification, status, signal }: StepWork): Promise<StepResult> {
  const { spec, metadata } = verification
  const { repositories = [], attempt = 1 } = status
  if (repositories.length === 0) {
    const message = 'its data is in no repository that the engine’s keys open: there is nothing to take a sample of'
    return { outcome: { state: 'skipped', message } }
  }
  const { place } = await deps.openPlace(spec.profile, signal)
  await ensureCheckBlueprint(deps.kube, metadata.namespace, signal)
  const actions = checkActions({
    repositories,
    bucket: place.bucket,
    subset: spec.check?.subset ?? '5%',
    profile: spec.profile,
    namespace: metadata.namespace,
  })
  return { actionSet: await ask(deps, verification, actionSetName(verification, 'check', attempt), actions, signal) }
}

async function startRestore({ deps, verification, status, signal }: StepWork): Promise<StepResult> {
  const { spec, metadata } = verification
  const { attempt = 1 } = status
  const { restore = {}, verify } = spec
  const { place } = await deps.openPlace(spec.profile, signal)
  const cluster = { kube: deps.kube, namespace: metadata.namespace, profile: spec.profile, signal }
  await deps.refuseWithoutRights(cluster)
  const backup = await getBackupByKey(place, spec.record, signal)
  const { plan } = await deps.makeTestApplication(place, cluster, backup, {
    namespace: namespaceName(verification, attempt),
    label: labelOf(verification),
    annotations: ownershipOf(verification),
    action: restore.action ?? 'restore',
    ...(verify ? { verifyAction: verify.action ?? 'verify' } : {}),
    options: restore.options ?? {},
    storageClasses: restore.storageClasses ?? {},
    copySecrets: restore.copySecrets ?? true,
    isolate: restore.isolate ?? false,
    accept: restore.accept ?? [],
    engineVersion: deps.engineVersion,
    readyTimeoutMs: restoreTimeoutMs(spec),
  })
  return { actionSet: await ask(deps, verification, actionSetName(verification, 'restore', attempt), [plan.spec], signal) }
}

/** At the object that was restored, with the Blueprint and the artifacts of the restore. */
async function startVerify({ deps, verification, status, signal }: StepWork): Promise<StepResult> {
  const { metadata, spec } = verification
  const { attempt = 1 } = status
  const name = spec.verify?.action ?? 'verify'
  const restore = actionSetName(verification, 'restore', attempt)
  const made = await deps.kube.resource(ownKinds.actionSets).find({ namespace: metadata.namespace, name: restore }, { signal })
  const action = made?.spec?.actions?.[0]
  if (!action)
    return { outcome: { state: 'failed', message: `ActionSet ${restore} is gone, so it is not known what was restored` } }
  const blueprint = await findBlueprint(deps, metadata.namespace, action, { verification, name }, signal)
  if (blueprint === undefined) {
    const message = `Blueprint ${action.blueprint ?? ''} has no action "${name}": the data was restored, and nothing looked at it`
    return { outcome: { state: 'skipped', message } }
  }
  const wanted: ActionSpec = { ...action, name, blueprint }
  return { actionSet: await ask(deps, verification, actionSetName(verification, 'verify', attempt), [wanted], signal) }
}

/** The one of the backup; where that is from before it had such an action, the one of its name that is there now. */
async function findBlueprint(
  { kube, openPlace }: StepDeps,
  namespace: string,
  { blueprint = '' }: ActionSpec,
  { verification, name }: { readonly verification: Live<Verification>; readonly name: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const blueprints = kube.resource(ownKinds.blueprints)
  const has = async (each: string): Promise<boolean> =>
    (await blueprints.find({ namespace, name: each }, { signal }))?.actions?.[name] !== undefined
  if (await has(blueprint)) return blueprint
  const { place } = await openPlace(verification.spec.profile, signal)
  const { record } = await getBackupByKey(place, verification.spec.record, signal)
  return record.blueprint.name !== blueprint && (await has(record.blueprint.name)) ? record.blueprint.name : undefined
}

async function clean({ deps, verification, status, signal }: StepWork): Promise<Outcome> {
  const { spec, metadata } = verification
  const { namespace } = status
  const left = { namespace: metadata.namespace, label: labelOf(verification), uid: metadata.uid }
  await stopActionSets(deps, left, signal)
  if (namespace === undefined) return { state: 'complete' }
  if (hasFailed(status) && spec.restore?.keepOnFailure === true)
    return { state: 'skipped', message: `namespace ${namespace} is kept for a look; it goes with this Verification` }
  const problem = await removeNamespace(deps, namespace, metadata.uid, signal)
  return problem === undefined ? { state: 'complete', cleaned: true } : { state: 'failed', message: problem }
}

/** Makes the ActionSet of a step, or finds that it was made. */
async function ask(
  { kube }: StepDeps,
  verification: Live<Verification>,
  name: string,
  actions: readonly ActionSpec[],
  signal: AbortSignal,
): Promise<string> {
  const { namespace } = verification.metadata
  const object = {
    apiVersion: `${names.kanisterGroup}/${names.version}`,
    kind: 'ActionSet',
    metadata: {
      name,
      namespace,
      labels: { [names.verification]: labelOf(verification) },
      annotations: ownershipOf(verification),
      ownerReferences: [ownerReference(verification)],
    },
    // Backups and restores that somebody waits for go first.
    spec: { priority: -200, actions },
  }
  try {
    // The server fills in the rest of the metadata.
    await kube.resource(ownKinds.actionSets).create(object as unknown as ActionSet, { signal })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    const found = await kube.resource(ownKinds.actionSets).find({ namespace, name }, { signal })
    if (found && found.metadata.annotations?.[names.verificationUid] !== verification.metadata.uid)
      throw new Error(`an ActionSet ${name} is there that this Verification did not make: remove it`, { cause: error })
  }
  return name
}
