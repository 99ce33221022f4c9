import { engineNamespace } from './installation.ts'
import type { KubeObject } from './objects.ts'
import type { World } from './world.ts'

/** A StatefulSet of one pod, `<name>-0`, that does nothing and has a shell, GNU tar and a scratch folder `/data`. Wants the image `debian`. */
export function shellApp(name = 'app'): KubeObject {
  const labels = { app: name }
  const container = {
    name: 'shell',
    image: 'debian:bookworm-slim',
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', 'infinity'],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  }
  const spec = { terminationGracePeriodSeconds: 0, containers: [container], volumes: [{ name: 'data', emptyDir: {} }] }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: { serviceName: name, replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  }
}

/** A phase of a Blueprint as it is written. */
export interface WrittenPhase {
  readonly func: string
  readonly name: string
  readonly args?: Readonly<Record<string, unknown>>
}

/** A Blueprint of actions on a StatefulSet; each has phases, and may have a deferred one and artifacts. */
export function blueprintOf(
  name: string,
  actions: Readonly<Record<string, { phases: readonly WrittenPhase[]; deferPhase?: WrittenPhase; [field: string]: unknown }>>,
): KubeObject {
  return { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Blueprint', metadata: { name }, actions }
}

/** The same, taken at admission whatever is wrong with it: for tests of what happens when it runs. */
export function uncheckedBlueprintOf(...args: Parameters<typeof blueprintOf>): KubeObject {
  const { metadata, ...rest } = blueprintOf(...args)
  return { ...rest, metadata: { ...metadata, labels: { 'holdfast.dev/validate': 'false' } } }
}

export interface ActionRequest {
  readonly action: string
  readonly blueprint: string
  /** Namespace of the StatefulSet acted on. */
  readonly app: string
  /** Name of the StatefulSet. @default app */
  readonly object?: string
  /** None when empty. */
  readonly profile?: string
  readonly artifacts?: unknown
  /** Comes with the ActionSet in the same write, as in one that was restored. */
  readonly status?: unknown
}

/** Creates an ActionSet as it is, without what the plugin looks at before; gives its name. */
export async function startAction(world: World, request: ActionRequest): Promise<string> {
  const { action, blueprint, app, object = 'app', profile, artifacts, status } = request
  const spec = {
    name: action,
    blueprint,
    object: { kind: 'StatefulSet', name: object, namespace: app },
    ...(!profile ? {} : { profile: { name: profile, namespace: engineNamespace } }),
    ...(artifacts === undefined ? {} : { artifacts }),
  }
  const actionSet = {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'ActionSet',
    metadata: { generateName: `e2e-${action}-` },
    spec: { actions: [spec] },
    ...(status === undefined ? {} : { status }),
  }
  const made = await world.kubectl(['create', '-n', engineNamespace, '-o', 'name', '-f', '-'], {
    input: JSON.stringify(actionSet),
  })
  return made.trim().replace(/^.*\//, '')
}
