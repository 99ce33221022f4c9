import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import type { ActionSet, ActionSpec } from '../../../src/api/actionset.ts'
import type { Blueprint, BlueprintAction } from '../../../src/api/blueprint.ts'
import { runName, type Run } from '../../../src/api/run.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { openKube } from '../../../src/kube/open.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { apply } from '../../harness/world/objects.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import type { World } from '../../harness/world/world.ts'

const root = resolve(import.meta.dirname, '../../..')

/** Real processes of Holdfast on this machine, acting on one namespace of the real cluster, with a pod to run commands in. */
export interface Installation {
  readonly world: () => World
  readonly namespace: string
  readonly kube: () => Kube
  /** Starts a process and waits until it is ready. */
  start(part: Part, name: string, env?: Readonly<Record<string, string>>): Promise<Holdfast>
  blueprint(actions: Readonly<Record<string, BlueprintAction>>, name?: string): Promise<void>
  create(actions: readonly ActionSpec[], name?: string, annotations?: Record<string, string>): Promise<Live<ActionSet>>
  read(name?: string): Promise<Live<ActionSet>>
  runOf(actionSet: Live<ActionSet>): Promise<Live<Run>>
  ended(state: 'complete' | 'failed', name?: string, timeoutMs?: number): Promise<Live<ActionSet>>
  /** What the pod's script left in a file; empty when there is none. */
  fileInPod(path: string): Promise<string>
}

export type Part = 'run' | 'operator' | 'worker'

export interface Holdfast {
  readonly log: () => string
  signal(name: NodeJS.Signals): void
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>
  stop(): Promise<void>
}

export function useInstallation(): Installation {
  const world = useWorld()
  const namespace = useNamespace(world)
  const processes: Holdfast[] = []
  let kube: Kube | undefined
  const there = (): Kube => {
    if (!kube) throw new Error('the cluster is there in hooks and tests only')
    return kube
  }
  beforeAll(async () => {
    kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
    const crds = ['actionsets.cr.kanister.io', 'blueprints.cr.kanister.io', 'profiles.cr.kanister.io', 'runs.holdfast.dev']
    await world().kubectl(['apply', '--server-side', '--force-conflicts', '-f', resolve(root, 'crds')])
    await world().kubectl(['wait', '--for=condition=Established', '--timeout=60s', ...crds.map((name) => `crd/${name}`)])
    const image = await world().image('debian')
    await apply(world(), namespace, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'app' },
      spec: { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command: ['sleep', '100000'] }] },
    })
    await kube.pods.waitReady({ namespace, name: 'app' }, { timeoutMs: 60_000 })
  }, 15 * 60_000)
  afterAll(async () => {
    await Promise.all(processes.map((process) => process.kill()))
    await kube?.close()
  })

  const installation: Installation = {
    world,
    namespace,
    kube: there,
    start: async (part, name, env = {}) => {
      const started = await startHoldfast(part, {
        KUBECONFIG: world().kubeconfig,
        POD_NAMESPACE: namespace,
        REDIS_URL: world().redisUrl,
        HOLDFAST_WORKER_NAME: name,
        HEALTH_CHECK_PORT: '0',
        LOG_LEVEL: 'debug',
        ...env,
      })
      processes.push(started)
      return started
    },
    blueprint: async (actions, name = 'bp') => {
      const blueprint = { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Blueprint', metadata: { name, namespace }, actions }
      const blueprints = there().resource(ownKinds.blueprints)
      await blueprints.delete({ namespace, name })
      await blueprints.create(blueprint as unknown as Blueprint)
    },
    create: async (actions, name = 'as', annotations = {}) => {
      const actionSets = there().resource(ownKinds.actionSets)
      await actionSets.delete({ namespace, name })
      const metadata = { name, namespace, annotations }
      return await actionSets.create({
        apiVersion: 'cr.kanister.io/v1alpha1',
        kind: 'ActionSet',
        metadata,
        spec: { actions },
      } as unknown as ActionSet)
    },
    read: async (name = 'as') => await there().resource(ownKinds.actionSets).get({ namespace, name }),
    runOf: async (actionSet) =>
      await there()
        .resource(ownKinds.runs)
        .get({ namespace, name: runName(actionSet.metadata.uid) }),
    ended: async (state, name = 'as', timeoutMs = 120_000) => {
      const actionSet = await waitFor(`ActionSet ${name} to end`, () => ended(installation, name), {
        timeoutMs,
        intervalMs: 10,
      })
      if (actionSet.status?.state === state) return actionSet
      throw new Error(`ActionSet ${name} is ${actionSet.status?.state}: ${actionSet.status?.error?.message ?? ''}`)
    },
    fileInPod: async (path) => {
      // Not kubectl's exec, which loses output on a busy node.
      const script = ['sh', '-c', 'cat "$1" 2>/dev/null || true', 'sh', path]
      return (await there().exec.capture({ namespace, pod: 'app' }, script)).stdout
    },
  }
  return installation
}

async function ended(installation: Installation, name: string): Promise<Live<ActionSet> | undefined> {
  const actionSet = await installation.read(name)
  const { status } = actionSet
  if (status?.state !== 'complete' && status?.state !== 'failed') return undefined
  const open = (status.actions ?? [])
    .flatMap((action) => [...(action.phases ?? []), action.deferPhase])
    .some((phase) => phase?.state === 'running')
  return open ? undefined : actionSet
}

async function startHoldfast(part: Part, env: Readonly<Record<string, string>>): Promise<Holdfast> {
  const child = spawn(process.execPath, [resolve(root, 'src/main/holdfast.ts'), part], {
    env: { PATH: process.env['PATH'], ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let text = ''
  child.stderr?.on('data', (chunk: Buffer) => (text = (text + chunk.toString()).slice(-1_000_000)))
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null
  await waitFor(`holdfast ${part} to be ready`, () => text.includes('"msg":"ready"'), {
    timeoutMs: 60_000,
    unless: () => over() && `it ended: ${text}`,
  })
  return {
    log: () => text,
    signal: (name) => void child.kill(name),
    kill: () => end(child, 'SIGKILL'),
    stop: () => end(child, 'SIGTERM'),
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
