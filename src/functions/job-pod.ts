import { createHash } from 'node:crypto'
import { names } from '../api/names.ts'
import { runKind } from '../api/run.ts'
import type { Pod } from '../kube/kinds.ts'
import type { EngineIdentity, PodSettings, RunIdentity } from './context.ts'
import type { PodArgs } from './pod-args.ts'
import { moverBasics, moverContainer } from './mover-pod.ts'
import { type JsonMap, mergePodSpec } from './strategic-merge.ts'

/** The container that runs the command; overrides address it by this name. */
export const mainContainer = 'container'

/** Keeps a pod alive so that commands can be run in it. Needs `sh` and `tail`. */
export const idleCommand: readonly string[] = ['sh', '-c', 'tail -f /dev/null']

const defaultDeadlineMs = 24 * 60 * 60_000

export interface JobPodRequest {
  /** Derived, so that a repeated create meets itself. */
  readonly name: string
  /** Where the Blueprint wants it; empty or absent: the engine's own namespace. */
  readonly namespace?: string | undefined
  readonly image: string
  readonly command: readonly string[]
  readonly volumes?: readonly PodVolume[]
  readonly args: PodArgs
  /** In place of the engine's or the namespace's; secure defaults win over it. */
  readonly serviceAccount?: string | undefined
  /** The node that it must run on, where only that one can mount a claim. */
  readonly node?: string | undefined
  /** Mounted read-only for everyone in the pod: texts that must not stand in the pod's spec. */
  readonly files?: SecretFiles | undefined
  /** The engine works in it and nothing of the Blueprint's does: it gets the least rights, and bounds. */
  readonly mover?: boolean
  /** Kanister's KubeTask passes the label kanister.io/JobID of the ActionSet on. */
  readonly passJobId?: boolean
}

/** A claim mounted in the pod. */
export interface PodVolume {
  readonly claim: string
  readonly path: string
  readonly readOnly: boolean
}

export interface SecretFiles {
  readonly secretName: string
  readonly mountPath: string
}

export interface JobPodSurroundings {
  readonly run: RunIdentity
  readonly pods: PodSettings
  readonly engine: EngineIdentity
}

/** The namespace of a job pod. */
export function jobNamespace(requested: string | undefined, engine: EngineIdentity): string {
  return requested === undefined || requested === '' ? engine.namespace : requested
}

/** Names the phase and attempt that an object belongs to; an object of our name without it is not ours. */
export function ownerAnnotation(run: RunIdentity): string {
  return `${ownerPrefix(run)}${run.attempt}`
}

/** True if `annotation` names this phase, whatever the attempt. */
export function isOfPhase(annotation: string | undefined, run: RunIdentity): boolean {
  return annotation?.startsWith(ownerPrefix(run)) ?? false
}

function ownerPrefix(run: RunIdentity): string {
  return `${run.actionSetUid}/${run.actionIndex}/${run.phaseName}/`
}

/** What a pod of a phase has whatever its containers are. */
export type PodFrame = Pick<JobPodRequest, 'name' | 'namespace' | 'args' | 'passJobId'>

/** The pod that Kanister would make, with a derived name, a finder label, an owner and a deadline. Pure. */
export function buildJobPod(request: JobPodRequest, surroundings: JobPodSurroundings): Pod {
  const override = mergeOverrides(request.args.podOverride, surroundings.pods.override)
  return framePod(request, generatedSpec(request, surroundings.engine, override), surroundings)
}

/** A pod around a spec of ours, with the overrides merged into it. */
export function framePod(frame: PodFrame, spec: JsonMap, { run, pods, engine }: JobPodSurroundings): Pod {
  const namespace = jobNamespace(frame.namespace, engine)
  const override = mergeOverrides(frame.args.podOverride, pods.override)
  const merged = override ? mergePodSpec(spec, override) : spec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: frame.name,
      namespace,
      labels: labelsOf(frame, run, pods),
      annotations: { ...pods.annotations, ...frame.args.podAnnotations, [names.owner]: ownerAnnotation(run) },
      ...ownersOf(run, namespace),
    },
    spec: mainContainerFirst(merged),
  } as unknown as Pod // A merged spec is whatever the override made of it: the API server checks it.
}

/** Labels of job pods and of what belongs to them: `createdBy` may be overwritten, ours may not. */
export function jobLabels(run: RunIdentity): Record<string, string> {
  return {
    [names.actionSetUid]: run.actionSetUid,
    ...(run.actionSetName.length <= 63 ? { [names.actionSetName]: run.actionSetName } : {}),
  }
}

function labelsOf(request: PodFrame, run: RunIdentity, pods: PodSettings): Record<string, string> {
  const jobId = request.passJobId ? run.actionSetLabels[names.jobId] : undefined
  return {
    [names.createdBy]: 'kanister',
    ...pods.labels,
    ...request.args.podLabels,
    ...(jobId === undefined ? {} : { [names.jobId]: jobId }),
    ...jobLabels(run),
  }
}

/**
 * The Run owns the pod, not the ActionSet: the garbage collector removes what has no living owner, and a deferred phase runs after its
 * ActionSet was deleted. The Run stays until that phase ended. Owners do not work across namespaces (the collector would delete the pod).
 */
export function ownersOf(run: RunIdentity, namespace: string): { ownerReferences?: object[] } {
  if (!run.runRef || namespace !== run.namespace) return {}
  return {
    ownerReferences: [
      { apiVersion: `${runKind.group}/${runKind.version}`, kind: runKind.kind, name: run.runRef.name, uid: run.runRef.uid },
    ],
  }
}

/**
 * Base is the phase's fragment and patch the ActionSet's, so the ActionSet wins. As in Kanister, a lone ActionSet fragment is merged with
 * itself: its `$patch` directives and nulls are spent here and never reach the pod.
 */
function mergeOverrides(phase: PodArgs['podOverride'], actionSet: PodSettings['override']): JsonMap | undefined {
  if (!actionSet) return phase as JsonMap | undefined
  return mergePodSpec((phase ?? actionSet) as JsonMap, actionSet as JsonMap)
}

function generatedSpec(request: JobPodRequest, engine: EngineIdentity, override: JsonMap | undefined): JsonMap {
  const namespace = jobNamespace(request.namespace, engine)
  const mounts = (request.volumes ?? []).map((volume) => ({ ...volume, name: volumeName(volume.claim) }))
  const files = request.files
  return {
    ...(request.mover ? { ...podLife(engine), ...moverBasics } : podBasics(namespace, engine, request.serviceAccount)),
    ...(request.node === undefined ? {} : { affinity: onNode(request.node) }),
    containers: [
      {
        name: mainContainer,
        image: request.image,
        command: request.command,
        imagePullPolicy: 'IfNotPresent',
        ...(request.mover ? moverContainer(override, mainContainer) : {}),
        volumeMounts: [...mounts.map(({ name, path }) => ({ name, mountPath: path })), ...(files ? [filesMountOf(files)] : [])],
      },
    ],
    volumes: [
      ...mounts.map(({ name, claim, readOnly }) => ({ name, persistentVolumeClaim: { claimName: claim, readOnly } })),
      ...(files ? [filesVolumeOf(files)] : []),
    ],
  }
}

/** By affinity, not by nodeName: the scheduler still looks at room and taints. */
function onNode(node: string): JsonMap {
  const matchFields = [{ key: 'metadata.name', operator: 'In', values: [node] }]
  return { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] } } }
}

/** The fields of a spec that do not depend on its containers. */
export function podBasics(namespace: string, engine: EngineIdentity, serviceAccount?: string): JsonMap {
  return { ...podLife(engine), ...serviceAccountOf(namespace, engine, serviceAccount) }
}

function podLife(engine: EngineIdentity): JsonMap {
  return {
    restartPolicy: 'Never',
    activeDeadlineSeconds: Math.ceil((engine.podDeadlineMs ?? defaultDeadlineMs) / 1000),
  }
}

const filesVolume = 'holdfast-files'

/** Readable for every user: the image decides who runs the command. */
export function filesVolumeOf({ secretName }: SecretFiles): JsonMap {
  return { name: filesVolume, secret: { secretName, defaultMode: 0o444 } }
}

export function filesMountOf({ mountPath }: SecretFiles): JsonMap {
  return { name: filesVolume, mountPath, readOnly: true }
}

/** The same in each attempt, valid for any claim. */
function volumeName(claim: string): string {
  return `vol-${createHash('sha256').update(claim).digest('hex').slice(0, 16)}`
}

function serviceAccountOf(namespace: string, engine: EngineIdentity, wanted = ''): { [key: string]: string | boolean } {
  if (engine.secureDefaults) return { serviceAccountName: 'default', automountServiceAccountToken: false }
  if (wanted !== '') return { serviceAccountName: wanted }
  if (namespace === engine.namespace && engine.serviceAccount) return { serviceAccountName: engine.serviceAccount }
  return {}
}

/** Overrides may have put others before it; readers of the pod expect it first. */
function mainContainerFirst(spec: JsonMap): JsonMap {
  const containers = spec.containers
  if (!Array.isArray(containers)) return spec
  const isMain = (container: unknown): boolean => (container as JsonMap | null)?.name === mainContainer
  return { ...spec, containers: [...containers.filter(isMain), ...containers.filter((container) => !isMain(container))] }
}
