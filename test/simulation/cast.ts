import { startOperator } from '../../src/controllers/runtime/start-operator.ts'
import { startWorker } from '../../src/engine/start-worker.ts'
import { silentLogger, type Logger } from '../../src/telemetry/logger.ts'
import { plainRenderer } from '../build/plain-renderer.ts'
import type { Network } from './network.ts'
import type { OutsideWorld } from './outside-world.ts'
import type { Random } from './random.ts'
import { namespace, phaseTimeoutMs } from './scenario.ts'
import { simKube } from './sim-client.ts'
import { simFunctions } from './sim-functions.ts'
import type { SimQueue } from './sim-queue.ts'
import type { SimServer } from './sim-server.ts'
import { simProcess, type SimProcess, type VirtualTime } from './virtual-time.ts'

export interface Actor {
  readonly kind: 'operator' | 'worker'
  readonly name: string
  readonly instance: string
  readonly process: SimProcess
  /** Functions that run in it now. */
  running: number
  close(): Promise<void>
}

interface Part {
  readonly ready: Promise<void>
  readonly done: Promise<void>
  close(): Promise<void>
}

export interface CastDeps {
  readonly time: VirtualTime
  readonly random: Random
  readonly network: Network
  readonly server: SimServer
  readonly queue: SimQueue
  readonly world: OutsideWorld
  readonly concurrency: number
  readonly perNamespace: number
  readonly trace: (text: string) => void
  readonly onRunning: (actor: Actor) => void
}

/** The processes of the engine: the real operator and worker, started as often as they die. */
export class Cast {
  readonly actors: Actor[] = []
  readonly #deps: CastDeps
  #starts = 0

  constructor(deps: CastDeps) {
    this.#deps = deps
  }

  living(): Actor[] {
    return this.actors.filter(({ process }) => !process.dead)
  }

  actorOf(process: SimProcess | undefined): Actor | undefined {
    return this.actors.find((actor) => actor.process === process)
  }

  /** Starts and deaths so far. */
  counts(): Record<string, number> {
    return { starts: this.actors.length, deaths: this.actors.filter(({ process }) => process.dead).length }
  }

  start(kind: Actor['kind'], name: string): Actor {
    const instance = String(++this.#starts)
    const process = simProcess(`${name}/${instance}`, this.#deps.random.between(-4_000, 4_000))
    const { time } = this.#deps
    const actor: Actor = { kind, name, instance, process, running: 0, close: () => part.close() }
    this.actors.push(actor)
    this.#deps.trace(`${process.name} starts`)
    const before = time.current
    // What it starts by itself belongs to it.
    time.current = process
    const part = kind === 'operator' ? this.#operator(actor) : this.#worker(actor)
    time.current = before
    // As `main` does: a process whose part cannot start ends, and is started again by whoever keeps it.
    part.ready.catch(() => this.kill(actor, 'could not start'))
    part.done.catch(() => this.kill(actor, 'ended by itself'))
    return actor
  }

  kill(actor: Actor, why: string): void {
    if (actor.process.dead) return
    this.#deps.trace(`${actor.process.name} is dead: ${why}`)
    actor.process.dead = true
    actor.running = 0
  }

  #operator({ name, process }: Actor): Part {
    const { network, server, queue, time, perNamespace } = this.#deps
    return startOperator({
      kube: simKube(network, server, process),
      queue: queue.adder(process),
      findFunction: this.#functions(undefined, process),
      clock: time.clock(process),
      log: this.#log(process),
      namespace,
      watchNamespaces: [namespace],
      identity: name,
      settings: { perNamespace },
    })
  }

  #worker(actor: Actor): Part {
    const { network, server, queue, world, time, concurrency } = this.#deps
    const { name, instance, process } = actor
    return startWorker({
      kube: simKube(network, server, process),
      jobs: queue.source(process),
      findFunction: this.#functions(actor, process),
      renderer: plainRenderer,
      repositories: undefined as never,
      openStore: () => Promise.reject(new Error('no store here')),
      writeRecord: async ({ run, actionIndex }, signal) => {
        const key = `${run.spec.actionSet.uid}-${actionIndex}`
        const kept = run.status.actions[String(actionIndex)]?.artifacts?.['kept']?.keyValue ?? {}
        await world.call(process, () => world.records.set(key, Object.values(kept)), signal)
        return key
      },
      engine: { installationId: 'i', namespace, image: 'engine', secureDefaults: false, podReadyTimeoutMs: 1_000 },
      clock: time.clock(process),
      log: this.#log(process),
      worker: { name, instance },
      watchNamespaces: [namespace],
      settings: { concurrency, phaseTimeoutMs },
    })
  }

  #functions(actor: Actor | undefined, process: SimProcess): ReturnType<typeof simFunctions> {
    const { world, trace, onRunning } = this.#deps
    const count = (change: 1 | -1): void => {
      if (!actor) return
      actor.running += change
      onRunning(actor)
    }
    return simFunctions({ world, process, trace, onRunning: count })
  }

  #log(process: SimProcess): Logger {
    const { trace } = this.#deps
    const say = (fields: object, message: string): void => {
      if (!message.startsWith('the API server does not know this kind'))
        trace(`${process.name}: ${message} ${JSON.stringify(fields)}`)
    }
    return { ...silentLogger, debug: say, info: say, warn: say, error: say, child: () => this.#log(process) }
  }
}
