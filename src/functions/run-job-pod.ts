import { names } from '../api/names.ts'
import { withCleanupSignal } from '../base/deadline.ts'
import { messageOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import { kinds, type Pod } from '../kube/kinds.ts'
import type { Live } from '../kube/objects.ts'
import { neverBegan } from '../kube/pod-state.ts'
import type { PodRef } from '../kube/pods.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { isHandedOver } from './handover.ts'
import { filesPath, hideScript, type HiddenCommand } from './hidden-script.ts'
import { type JobCheckpoint, readJobCheckpoint } from './job-checkpoint.ts'
import { type JobPodRequest, buildJobPod, isOfPhase, jobNamespace, mainContainer, ownerAnnotation } from './job-pod.ts'
import { nameTaken, putScriptSecret } from './script-secret.ts'
import { type SecretValues, secretValuesOf } from './secret-values.ts'

/** A pod that was started for a phase. */
export interface JobPod extends PodRef {
  readonly uid: string
}

interface JobPlace {
  /** Kanister's prefix of the function, such as `kanister-job-`. */
  readonly prefix: string
  /** Where the Blueprint wants it; empty or absent: the engine's own namespace. */
  readonly namespace?: string | undefined
  /** A pod of an earlier attempt is taken over; otherwise it is removed and the work begins anew. */
  readonly adopt: boolean
}

/** A pod of one container. */
export interface CommandJob extends JobPlace, Omit<JobPodRequest, 'name' | 'files'> {}

/** A pod of another shape, planned when it is to be made. */
export interface PlannedJob extends JobPlace {
  plan(place: PodRef, secrets: SecretValues): PodPlan
}

export type JobRequest = CommandJob | PlannedJob

/** A pod, the texts for the Secret beside it (of the pod's name, mounted by it; none: no Secret), and whether a secret stays visible. */
export interface PodPlan extends Pick<HiddenCommand, 'files' | 'exposed'> {
  readonly pod: Pod
}

/** Less than what the engine grants a function after it was told to stop. */
const cleanupMs = 12_000

/**
 * Makes the pod, waits until it started, does `work` with it and removes it, whatever happened; on a handover to another attempt a pod
 * that can be adopted stays. Its deletion is awaited, so that the next phase finds its claims free. Of the tries before this one no pod may be
 * left: two that write to one path of the user would spoil it.
 */
export async function withJobPod<T>(ctx: FunctionContext, request: JobRequest, work: (pod: JobPod) => Promise<T>): Promise<T> {
  const before = readJobCheckpoint(ctx.resumed)
  const namespace = jobNamespace(request.namespace, ctx.engine)
  if (before && !request.adopt) await removeJobPod(ctx, before, ctx.signal)
  const name = before && request.adopt ? before.name : ctx.deriveName(request.prefix)
  for (const earlier of ctx.earlierNames(request.prefix)) await removeJobPod(ctx, { namespace, name: earlier }, ctx.signal)
  const place = { namespace, name }
  try {
    return await work(await startPod(ctx, request, place, request.adopt ? before : undefined))
  } finally {
    if (!(await isHandedOver(ctx))) await cleanUp(ctx, place)
    // Whoever goes on with the phase has made one of the same name by now.
    else if (!request.adopt) await cleanUp(ctx, place, { attempt: ownerAnnotation(ctx.run) })
  }
}

/** Makes the pod, or takes over that of an earlier attempt, until it started. One that its node gave up before anything of it ran is made once more. */
async function startPod(
  ctx: FunctionContext,
  request: JobRequest,
  place: PodRef,
  before: JobCheckpoint | undefined,
): Promise<JobPod> {
  const pod = await createOrAdopt(ctx, request, place, before)
  if (!neverBegan(await started(ctx, pod)) || before?.stillborn !== undefined) return pod
  ctx.warn(`pod "${place.namespace}/${place.name}": its node gave it up before anything of it ran; it is made once more`)
  const second = await createOrAdopt(ctx, request, place, { step: 'creating', ...place, stillborn: pod.uid })
  await started(ctx, second)
  return second
}

async function createOrAdopt(
  ctx: FunctionContext,
  request: JobRequest,
  place: PodRef,
  before: JobCheckpoint | undefined,
): Promise<JobPod> {
  const { stillborn } = before ?? {}
  if (before) {
    const found = await findOwn(ctx, place)
    if (found && found.metadata.uid !== stillborn) return { ...place, uid: found.metadata.uid }
    if (!found && before.step !== 'creating') throw podLost(place)
  }
  const secrets = secretValuesOf(ctx.params)
  const plan = 'plan' in request ? request.plan(place, secrets) : planCommand(ctx, request, place, secrets)
  if (plan.exposed) ctx.warn(exposedWarning)
  const noted = { ...place, ...(stillborn === undefined ? {} : { stillborn }) }
  await ctx.checkpoint({ step: 'creating', ...noted } satisfies JobCheckpoint)
  ctx.signal.throwIfAborted()
  if (stillborn !== undefined) await removeJobPod(ctx, place, ctx.signal, { uid: stillborn })
  const { uid } = (await createPod(ctx, plan, place)).metadata
  await ctx.checkpoint({ step: 'created', ...noted, uid } satisfies JobCheckpoint)
  return { ...place, uid }
}

const exposedWarning =
  'the command holds a secret and stands in the pod as it is, because it is not of the form `sh -c script`: whoever may read pods can read it'

function planCommand(ctx: FunctionContext, request: CommandJob, place: PodRef, secrets: SecretValues): PodPlan {
  const { command, files, exposed } = hideScript(request.command, secrets)
  const mounted = Object.keys(files).length > 0 ? { secretName: place.name, mountPath: filesPath } : undefined
  return { pod: buildJobPod({ ...request, ...place, command, files: mounted }, ctx), files, exposed }
}

async function createPod(ctx: FunctionContext, { pod, files }: PodPlan, place: PodRef): Promise<Live<Pod>> {
  const withFiles = Object.keys(files).length > 0
  if (withFiles) await putScriptSecret(ctx, place, files)
  const created = await createOwn(ctx, pod, place)
  if (withFiles) await ownedByPod(ctx, created)
  ctx.log.info({ Pod: place.name, namespace: place.namespace }, 'Created pod')
  return created
}

/**
 * A create that was repeated after a lost answer, or after a crash, meets its own pod. A process that slept, or was cut off from the server, would make
 * it once more after its successor has done the work and removed its own: so before each try it is asked whose the phase is.
 */
async function createOwn(ctx: FunctionContext, pod: Pod, place: PodRef): Promise<Live<Pod>> {
  try {
    return await ctx.kube.resource(kinds.pods).create(pod, { signal: ctx.signal, beforeTry: () => ctx.confirm() })
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    const found = await findOwn(ctx, place)
    if (!found) throw error
    return found
  }
}

/** The pod of that name if this phase made it and nobody is deleting it; one that is not ours is FUNCTION_NAME_TAKEN. */
async function findOwn(ctx: FunctionContext, place: PodRef): Promise<Live<Pod> | undefined> {
  const found = await ctx.kube.resource(kinds.pods).find(place, { signal: ctx.signal })
  if (!found) return undefined
  if (!isOfPhase(found.metadata.annotations?.[names.owner], ctx.run)) throw nameTaken('pod', place)
  if (found.metadata.deletionTimestamp !== undefined) throw podLost(place)
  return found
}

/** Should everything that knows of the pod be gone, the Secret goes with it. */
async function ownedByPod(ctx: FunctionContext, pod: Live<Pod>): Promise<void> {
  const { name, namespace, uid } = pod.metadata
  const owner = { apiVersion: 'v1', kind: 'Pod', name, uid }
  await ctx.kube
    .resource(kinds.secrets)
    .patch({ namespace, name }, { metadata: { ownerReferences: [owner] } }, { signal: ctx.signal })
}

async function started(ctx: FunctionContext, pod: JobPod): Promise<Live<Pod>> {
  const timeoutMs = ctx.engine.podReadyTimeoutMs
  try {
    return await ctx.kube.pods.waitStarted(pod, { signal: ctx.signal, timeoutMs })
  } catch (error) {
    if (kubeError.is(error, 'KUBE_POD_GONE')) throw podLost(pod)
    if (!kubeError.is(error, 'KUBE_POD_STUCK', 'KUBE_POD_NOT_READY')) throw error
    const said = error.message.startsWith(notStarted) ? error.message : `${notStarted}: ${error.message}`
    throw functionError('FUNCTION_POD_NOT_READY', `${said}${await lastLines(ctx, pod)}`, {
      cause: error,
      details: { pod: pod.name, namespace: pod.namespace },
    })
  }
}

/** As Kanister says it. */
const notStarted = 'Pod did not transition into running state'

export interface JobEnd {
  /** @default the main container */
  readonly container?: string
  /** @default that of the phase */
  readonly signal?: AbortSignal
  /** The last lines of the log. @default they are read if the container failed */
  readonly tail?: string
}

/** Waits until a container ended well. FUNCTION_POD_FAILED names the exit code and ends with the last ten lines of the log. */
export async function waitJobDone(ctx: FunctionContext, pod: JobPod, end: JobEnd = {}): Promise<void> {
  const { container = mainContainer, signal = ctx.signal } = end
  try {
    await ctx.kube.pods.waitCompleted(pod, { container, signal })
  } catch (error) {
    if (kubeError.is(error, 'KUBE_POD_GONE')) throw podLost(pod)
    if (!kubeError.is(error, 'KUBE_POD_FAILED')) throw error
    const { exitCode } = error.details
    const ended = exitCode === undefined ? '' : `command terminated with exit code ${exitCode}: `
    const tail = end.tail === undefined ? await lastLines(ctx, pod, container) : end.tail && `\n${end.tail}`
    throw functionError('FUNCTION_POD_FAILED', `Pod failed to complete: ${ended}${error.message}${tail}`, {
      cause: error,
      details: { pod: pod.name, namespace: pod.namespace, exitCode },
    })
  }
}

async function lastLines(ctx: FunctionContext, pod: JobPod, container = mainContainer): Promise<string> {
  const text = await ctx.kube.pods.tailLog(pod, { container, lines: 10, signal: ctx.signal })
  return text === '' ? '' : `\n${secretValuesOf(ctx.params).redact(text)}`
}

/** Says that the result was read, before the pod goes. */
export async function checkpointResult(ctx: FunctionContext, pod: JobPod, outputs: Record<string, unknown>): Promise<void> {
  const { namespace, name, uid } = pod
  await ctx.checkpoint({ step: 'finished', namespace, name, uid, outputs } satisfies JobCheckpoint)
}

interface OnlyThat {
  readonly uid?: string
  /** Owner annotation of an attempt. */
  readonly attempt?: string
}

/** Removes what is left of a job of an earlier attempt; nothing there is success, and so is a namesake of somebody else. */
export async function removeJobPod(
  ctx: FunctionContext,
  place: PodRef,
  signal: AbortSignal,
  { uid, attempt }: OnlyThat = {},
): Promise<void> {
  const isOurs = (owner: string | undefined): boolean =>
    isOfPhase(owner, ctx.run) && (attempt === undefined || owner === attempt)
  const found = await ctx.kube.resource(kinds.pods).find(place, { signal })
  if (found && isOurs(found.metadata.annotations?.[names.owner]) && (uid === undefined || found.metadata.uid === uid)) {
    // One second, not none: without grace the API forgets the pod while its containers and volumes are still there.
    await ctx.kube.pods.remove(place, { signal, uid: found.metadata.uid, gracePeriodSeconds: 1 })
  }
  const secrets = ctx.kube.resource(kinds.secrets)
  const secret = await secrets.find(place, { signal })
  if (secret && isOurs(secret.metadata.annotations?.[names.owner])) {
    await secrets.delete(place, { signal, uid: secret.metadata.uid })
  }
}

/** Errors are noted, not thrown: they must not replace the result of the phase. The cluster's own deadline ends what stays behind. */
async function cleanUp(ctx: FunctionContext, place: PodRef, only: OnlyThat = {}): Promise<void> {
  try {
    await withCleanupSignal(`the removal of pod "${place.namespace}/${place.name}"`, cleanupMs, async (signal) => {
      if (ctx.resumed !== undefined && only.attempt === undefined) await ctx.untilAlone(signal)
      await removeJobPod(ctx, place, signal, only)
    })
  } catch (error) {
    ctx.warn(`pod "${place.namespace}/${place.name}" could not be removed: ${messageOf(error)}`)
  }
}

function podLost(place: PodRef): Error {
  return functionError(
    'FUNCTION_POD_LOST',
    `pod "${place.namespace}/${place.name}" was deleted before its result was read, so it is not known what it did; check, then run the action again`,
  )
}
