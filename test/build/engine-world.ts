import type { ActionSet, ActionSpec } from '../../src/api/actionset.ts'
import type { Blueprint, BlueprintAction } from '../../src/api/blueprint.ts'
import type { ObjectReference } from '../../src/api/object-reference.ts'
import { runName, type Run } from '../../src/api/run.ts'
import { systemClock } from '../../src/base/clock.ts'
import { startOperator } from '../../src/controllers/runtime/start-operator.ts'
import type { Operator, OperatorSettings } from '../../src/controllers/runtime/operator.ts'
import type { FindFunction } from '../../src/engine/plan.ts'
import { startWorker } from '../../src/engine/start-worker.ts'
import type { RecordWriter } from '../../src/engine/record.ts'
import type { Worker, WorkerSettings } from '../../src/engine/worker.ts'
import type { FunctionContext } from '../../src/functions/context.ts'
import { defineFunction, type PhaseFunction, type Resume } from '../../src/functions/define.ts'
import { functionError } from '../../src/functions/errors.ts'
import { kinds } from '../../src/kube/kinds.ts'
import type { Live } from '../../src/kube/objects.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import { MemoryQueue } from '../../src/queue/memory.ts'
import { flag, object, optional, text } from '../../src/schema/build.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { waitFor } from '../harness/world/wait-for.ts'
import { FakeApi, type FakeProcess } from './fake-api.ts'
import { plainRenderer } from './plain-renderer.ts'

export const namespace = 'engine'

/** Called when a test function starts; what it returns is awaited. */
export type OnCall = (call: { readonly k: string; readonly ctx: FunctionContext; readonly fn: string }) => unknown

/** Operator and worker on a fake API server, with functions that only report. */
export class EngineWorld {
  readonly api = new FakeApi()
  readonly queue = new MemoryQueue()
  /** `k` of every call of a function, in order. */
  readonly calls: string[] = []
  onCall: OnCall = () => undefined
  writeRecord: RecordWriter = async () => 'records/one.json'
  defaultProfile: ObjectReference | undefined
  readonly #open: { close(): Promise<void> }[] = []

  constructor() {
    this.api.put(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'app' } })
  }

  readonly functions: readonly PhaseFunction[] = [
    this.#function('Say', 'restart'),
    this.#function('SayOnce', 'refuse'),
    this.#function('Adopt', 'adopt'),
  ]

  readonly findFunction: FindFunction = (name) => {
    const found = this.functions.find((fn) => fn.name === name)
    if (!found) throw functionError('FUNCTION_UNKNOWN', `Requested function {${name}} has not been registered`)
    return found
  }

  operator(settings: Partial<OperatorSettings> = {}, process: FakeProcess = {}, watchNamespaces = [namespace]): Operator {
    const operator = startOperator({
      kube: this.api.kube(process),
      queue: this.queue,
      findFunction: this.findFunction,
      clock: systemClock,
      log: silentLogger,
      namespace,
      watchNamespaces,
      identity: 'operator-0',
      settings: {
        coalesceMs: 0,
        statusesPerSecond: Number.POSITIVE_INFINITY,
        sweepMs: 200,
        livenessPollMs: 50,
        workerTimeoutMs: 1_000,
        ...settings,
      },
    })
    this.#open.push(mortalClose(operator, process))
    return operator
  }

  worker(name = 'w', instance = '1', settings: Partial<WorkerSettings> = {}, process: FakeProcess = {}): Worker {
    const worker = startWorker({
      kube: this.api.kube(process),
      jobs: mortal(this.queue, process),
      findFunction: this.findFunction,
      renderer: plainRenderer,
      repositories: undefined as never,
      openStore: async () => {
        throw new Error('no store here')
      },
      writeRecord: async (...given) => await this.writeRecord(...given),
      ...(this.defaultProfile ? { defaultProfile: this.defaultProfile } : {}),
      engine: { installationId: 'i', namespace, image: 'engine', secureDefaults: false, podReadyTimeoutMs: 1_000 },
      clock: systemClock,
      log: silentLogger,
      worker: { name, instance },
      watchNamespaces: [namespace],
      settings: { heartbeatMs: 50, progressMs: 20, drainMs: 100, graceMs: 500, journalBudgetMs: 10_000, ...settings },
    })
    this.#open.push(mortalClose(worker, process))
    return worker
  }

  async start(): Promise<void> {
    await Promise.all([this.operator().ready, this.worker().ready])
  }

  async close(): Promise<void> {
    this.api.before = () => undefined
    this.api.after = () => undefined
    await Promise.all(this.#open.splice(0).map((each) => each.close()))
    await this.queue.close()
  }

  blueprint(actions: Record<string, BlueprintAction>, name = 'bp'): void {
    const blueprint = { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Blueprint', metadata: { name, namespace }, actions }
    this.api.put(ownKinds.blueprints, blueprint as unknown as Blueprint)
  }

  actionSet(actions: readonly ActionSpec[], extra: object = {}, name = 'as'): Live<ActionSet> {
    const actionSet = {
      apiVersion: 'cr.kanister.io/v1alpha1',
      kind: 'ActionSet',
      metadata: { name, namespace },
      spec: { actions },
      ...extra,
    }
    return this.api.put(ownKinds.actionSets, actionSet as unknown as ActionSet)
  }

  read(name = 'as'): Live<ActionSet> {
    const found = this.api.read(ownKinds.actionSets, namespace, name)
    if (!found) throw new Error(`ActionSet ${name} is gone`)
    return found
  }

  runOf(actionSet: { readonly metadata: { readonly uid: string } }): Live<Run> | undefined {
    return this.api.read(ownKinds.runs, namespace, runName(actionSet.metadata.uid))
  }

  /** Waits until the ActionSet is in the state and nothing of its Run is left to do. */
  async ended(state: 'complete' | 'failed', name = 'as'): Promise<Live<ActionSet>> {
    return await waitFor(
      `ActionSet ${name} to be ${state}`,
      () => {
        const actionSet = this.read(name)
        const run = this.runOf(actionSet)
        const over = !run || run.metadata.labels?.['holdfast.dev/unfinished'] === 'false'
        const shown =
          !run ||
          (actionSet.status?.actions ?? []).every((action) =>
            [...(action.phases ?? []), action.deferPhase].every((phase) => phase?.state !== 'running'),
          )
        return actionSet.status?.state === state && over && shown ? actionSet : undefined
      },
      { intervalMs: 2 },
    )
  }

  #function(name: string, resume: Resume): PhaseFunction {
    return defineFunction({
      name,
      summary: 'Reports what it is told.',
      args: object({
        k: text('What to report.'),
        fail: optional(text('Fail with this.')),
        hang: optional(flag('Wait for the signal.')),
      }),
      outputs: { out: 'What it was told.' },
      rbac: [],
      resume,
      run: async (ctx, args) => {
        this.calls.push(args.k)
        await this.onCall({ k: args.k, ctx, fn: name })
        if (args.hang) await untilAborted(ctx.signal)
        if (args.fail) throw new Error(args.fail)
        return { out: args.k }
      },
    }) as unknown as PhaseFunction
  }
}

/** A dead process takes no jobs, and those it had are gone from the queue. */
function mortal(queue: MemoryQueue, process: FakeProcess): MemoryQueue {
  const take: MemoryQueue['take'] = (handler, options) => {
    const consumer = queue.take((job) => Promise.race([handler(job), died(process)]), options)
    void died(process).then(() => consumer.stop(0))
    return consumer
  }
  return { take } as MemoryQueue
}

async function died(process: FakeProcess): Promise<void> {
  while (!process.dead) await new Promise((resolve) => setTimeout(resolve, 2).unref())
}

/** What is dead cannot be closed gracefully. */
function mortalClose(open: { close(): Promise<void> }, process: FakeProcess): { close(): Promise<void> } {
  return { close: async () => await Promise.race([open.close(), died(process)]) }
}

export async function untilAborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

/** An action on namespace `app`. */
export function onApp(name: string, more: Partial<ActionSpec> = {}): ActionSpec {
  return { name, blueprint: 'bp', object: { kind: 'Namespace', name: 'app', namespace: 'app' }, ...more }
}

export function say(name: string, k: string, more: object = {}, func = 'Say'): { func: string; name: string; args: object } {
  return { func, name, args: { k, ...more } }
}
