import type { PodRef } from '../kube/pods.ts'
import type { PodSettings } from './context.ts'
import { filesPath, hideScript, type HiddenCommand } from './hidden-script.ts'
import { filesMountOf, filesVolumeOf, framePod, type JobPodSurroundings, mainContainer, podBasics } from './job-pod.ts'
import type { PodArgs } from './pod-args.ts'
import type { PodPlan } from './run-job-pod.ts'
import type { SecretValues } from './secret-values.ts'
import type { Json, JsonMap } from './strategic-merge.ts'

/** The containers of MultiContainerRun, in the order of their work. */
export const multiContainers = { init: 'init', background: 'background', output: 'output' } as const

export interface MultiContainerArgs extends PodArgs {
  readonly initImage: string
  readonly initCommand: readonly string[]
  readonly backgroundImage: string
  readonly backgroundCommand: readonly string[]
  readonly outputImage: string
  readonly outputCommand: readonly string[]
  readonly sharedVolumeMedium: string
  readonly sharedVolumeSizeLimit: string
  readonly sharedVolumeDir: string
}

/** The pod that Kanister would make: one empty volume shared by all containers. Pure. */
export function planMultiContainerPod(
  args: MultiContainerArgs,
  place: PodRef,
  secrets: SecretValues,
  surroundings: JobPodSurroundings,
): PodPlan {
  const hidden = hideAll(args, secrets)
  const files = Object.assign({}, ...Object.values(hidden).map((each) => each.files)) as Record<string, string>
  const mounted = Object.keys(files).length > 0 ? { secretName: place.name, mountPath: filesPath } : undefined
  const container = (name: keyof typeof hidden, image: string): JsonMap => ({
    name,
    image,
    ...(hidden[name].command.length > 0 ? { command: hidden[name].command } : {}),
    volumeMounts: [{ name: 'shared', mountPath: args.sharedVolumeDir }, ...(mounted ? [filesMountOf(mounted)] : [])],
  })
  const spec: JsonMap = {
    ...podBasics(place.namespace, surroundings.engine),
    ...(args.initImage ? { initContainers: [container('init', args.initImage)] } : {}),
    containers: [container('output', args.outputImage), container('background', args.backgroundImage)],
    volumes: [sharedVolume(args), ...(mounted ? [filesVolumeOf(mounted)] : [])],
  }
  const frame = { ...place, args: frameArgs(args) }
  const exposed = Object.values(hidden).some((each) => each.exposed)
  return { pod: framePod(frame, spec, { ...surroundings, pods: frameSettings(surroundings.pods, args) }), files, exposed }
}

function hideAll(args: MultiContainerArgs, secrets: SecretValues): Record<keyof typeof multiContainers, HiddenCommand> {
  return {
    init: hideScript(args.initImage ? args.initCommand : [], secrets, 'init-'),
    background: hideScript(args.backgroundCommand, secrets, 'background-'),
    output: hideScript(args.outputCommand, secrets, 'output-'),
  }
}

function sharedVolume({ sharedVolumeMedium: medium, sharedVolumeSizeLimit: sizeLimit }: MultiContainerArgs): JsonMap {
  return { name: 'shared', emptyDir: { ...(medium ? { medium } : {}), ...(sizeLimit ? { sizeLimit } : {}) } }
}

/** Unlike those of other pods, this label is not to be overwritten; kubectl shows the log that matters. */
function frameArgs(args: MultiContainerArgs): PodArgs {
  const { podOverride, podLabels, podAnnotations } = args
  return {
    ...(podOverride ? { podOverride: expandAlias(podOverride, args.initImage !== '') } : {}),
    podLabels: withoutCreator(podLabels),
    podAnnotations: { 'kubectl.kubernetes.io/default-container': multiContainers.output, ...podAnnotations },
  }
}

function frameSettings({ override, labels, annotations }: PodSettings, { initImage }: MultiContainerArgs): PodSettings {
  return {
    ...(override ? { override: expandAlias(override, initImage !== '') } : {}),
    labels: withoutCreator(labels),
    annotations,
  }
}

function withoutCreator(labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([name]) => name !== 'createdBy'))
}

type Override = Readonly<Record<string, unknown>>

/**
 * An entry named `container`, as overrides written for KubeTask have it, counts for each container that the override does not name itself.
 * The override given stays as it is: other phases of the action use it too.
 */
export function expandAlias(override: Override, withInit: boolean): Override {
  const containers = listOf(override['containers'])
  const alias = containers.find((each) => each['name'] === mainContainer)
  if (!alias) return override
  const initContainers = listOf(override['initContainers'])
  const copies = (present: readonly JsonMap[], names: readonly string[]): JsonMap[] =>
    names.filter((name) => !present.some((each) => each['name'] === name)).map((name) => ({ ...alias, name }))
  const { init, background, output } = multiContainers
  const inits = [...initContainers, ...copies(initContainers, withInit ? [init] : [])]
  return {
    ...override,
    containers: [...containers.filter((each) => each !== alias), ...copies(containers, [output, background])],
    ...(inits.length > 0 ? { initContainers: inits } : {}),
  }
}

function listOf(value: unknown): readonly JsonMap[] {
  if (!Array.isArray(value)) return []
  const isMap = (item: Json): item is JsonMap => typeof item === 'object' && item !== null && !Array.isArray(item)
  return (value as readonly Json[]).filter(isMap)
}
