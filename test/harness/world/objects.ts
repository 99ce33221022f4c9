import type { World } from './world.ts'

/** An object as kubectl takes and gives it. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly [field: string]: unknown
  }
  readonly [field: string]: unknown
}

/** `kubectl apply` of objects (or of YAML text), into `namespace` where they name none. */
export async function apply(world: World, namespace: string, ...objects: readonly (KubeObject | string)[]): Promise<void> {
  for (const object of objects) {
    const input = typeof object === 'string' ? object : JSON.stringify(object)
    await world.kubectl(['apply', '-n', namespace, '-f', '-'], { input })
  }
}

/** One object, or undefined when there is none: `findObject(world, 'ns', 'pod/db-0')`. */
export async function findObject(world: World, namespace: string, name: string): Promise<KubeObject | undefined> {
  const text = await world.kubectl(['get', name, '-n', namespace, '-o', 'json', '--ignore-not-found'])
  // The API server answers with objects only.
  return text === '' ? undefined : (JSON.parse(text) as KubeObject)
}

/** Runs a command in a pod by kubectl, with `sh -c`; gives its stdout. For looking around in tests, not for data. */
export async function shellIn(world: World, namespace: string, pod: string, script: string): Promise<string> {
  return world.kubectl(['exec', '-n', namespace, pod, '--', 'sh', '-c', script])
}

/** Waits until the workload (`statefulset/db`, `deployment/app`) has all its pods ready. */
export async function waitRolledOut(world: World, namespace: string, workload: string, timeoutMs = 120_000): Promise<void> {
  await world.kubectl(['rollout', 'status', workload, '-n', namespace, `--timeout=${Math.ceil(timeoutMs / 1000)}s`])
}
