import { names } from '../../src/api/names.ts'
import type { KubeRequest } from '../../src/kube/client.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import type { Actor, Cast } from './cast.ts'
import type { Network } from './network.ts'
import type { Random } from './random.ts'
import { actionSetOf, blueprintOf, namespace, type Scenario } from './scenario.ts'
import type { SimQueue } from './sim-queue.ts'
import type { SimServer } from './sim-server.ts'
import type { SimProcess, VirtualTime } from './virtual-time.ts'

export interface TroublesDeps {
  readonly time: VirtualTime
  readonly random: Random
  readonly network: Network
  readonly server: SimServer
  readonly queue: SimQueue
  readonly cast: Cast
  readonly scenario: Scenario
  readonly trace: (text: string) => void
}

/** Users, and everything that goes wrong: drawn in advance, and carried out in the time of trouble. After it all is well and everybody is up. */
export class TroubleMaker {
  over = false
  /** Journal writes at which somebody died: `12 before`. */
  readonly diedAtWrites: string[] = []
  readonly #deps: TroublesDeps
  /** Steps at which the process that is about to run dies instead. */
  readonly #fatalSteps = new Set<number>()
  /** Numbers of journal writes at which their writer dies, and whether before the write is carried out. */
  readonly #fatalWrites = new Map<number, 'before' | 'after'>()
  /** Numbers of journal writes whose answer finds its writer asleep. */
  readonly #sleepyWrites = new Set<number>()
  #writes = 0

  constructor(deps: TroublesDeps) {
    this.#deps = deps
  }

  start(): void {
    const { scenario, time, network, random, queue, cast } = this.#deps
    const { troubles, troubleMs } = scenario
    for (let index = 0; index < scenario.operators; index++) cast.start('operator', `op-${index}`)
    for (let index = 0; index < scenario.workers; index++) cast.start('worker', `w-${index}`)
    network.weather = scenario.weather
    queue.faults = { loss: scenario.queueLoss, twice: scenario.queueTwice, slowMs: scenario.weather.slowMs }
    this.#users()
    this.#some(troubles.kills, () => this.#onSome((actor) => this.#kill(actor, 'killed')))
    this.#some(troubles.pauses, () => this.#onSome((actor) => this.#pause(actor)))
    this.#some(troubles.twins, () => this.#onSome((actor) => this.#twin(actor)))
    this.#some(troubles.stops, () => this.#onSome((actor) => this.#stop(actor)))
    this.#some(troubles.wipes, () => queue.wipe())
    this.#some(troubles.queueAway, () => queue.goAway(random.between(100, 30_000), random.chance(0.5)))
    this.#some(troubles.apiAway, () => (network.awayUntil = time.now + random.between(100, 40_000)))
    for (let each = 0; each < troubles.killsAtWrites; each++)
      this.#fatalWrites.set(random.between(1, 40), random.pick(['before', 'after'] as const))
    for (let each = 0; each < troubles.pausesAtWrites; each++) this.#sleepyWrites.add(random.between(1, 40))
    for (let each = 0; each < troubles.killsAtSteps; each++) this.#fatalSteps.add(random.between(1, 4_000))
    network.onRequest = (when, request, process) => this.#requested(when, request, process)
    time.beforeTask = (process) => this.#stepped(process)
    time.after(troubleMs, time.outside, () => this.#end())
  }

  #users(): void {
    const { scenario, time, server, trace } = this.#deps
    for (const drawn of scenario.actionSets) {
      const atMs = Math.max(scenario.approveMs, drawn.createdMs + 1)
      time.after(atMs, time.outside, () => this.#annotate(drawn.name, names.approve, 'true'))
    }
    for (const drawn of scenario.actionSets) {
      server.put(ownKinds.blueprints, blueprintOf(drawn))
      time.after(drawn.createdMs, time.outside, () => {
        trace(`user creates ${drawn.name}`)
        server.put(ownKinds.actionSets, actionSetOf(drawn))
      })
      if (drawn.cancelMs !== undefined)
        time.after(drawn.cancelMs, time.outside, () => this.#cancel(drawn.name, drawn.cancelBy ?? 'annotation'))
    }
  }

  #cancel(name: string, by: 'annotation' | 'deletion'): void {
    const { server, trace } = this.#deps
    const key = `${namespace}/${name}`
    trace(`user cancels ${name} by ${by}`)
    if (by === 'deletion') return server.remove(ownKinds.actionSets, key)
    this.#annotate(name, names.cancel, 'true')
  }

  #annotate(name: string, annotation: string, value: string): void {
    const { server } = this.#deps
    const there = server.read(ownKinds.actionSets, `${namespace}/${name}`)
    if (!there) return
    const annotations = { ...there.metadata.annotations, [annotation]: value }
    server.put(ownKinds.actionSets, { ...there, metadata: { ...there.metadata, annotations } })
  }

  /** So often as drawn, at moments of chance. */
  #some(count: number, happen: () => void): void {
    const { time, random, scenario } = this.#deps
    for (let each = 0; each < count; each++)
      time.after(random.between(0, scenario.troubleMs), time.outside, () => !this.over && happen())
  }

  #onSome(happen: (actor: Actor) => void): void {
    const living = this.#deps.cast.living()
    if (living.length > 0) happen(this.#deps.random.pick(living))
  }

  #kill(actor: Actor, why: string): void {
    const { cast, time, random } = this.#deps
    cast.kill(actor, why)
    // Back at once, after a while, or not before all is over.
    const backMs = random.pick([0, random.between(100, 3_000), random.between(3_000, 40_000), 1e9])
    if (backMs < 1e9) time.after(backMs, time.outside, () => this.#ensure(actor))
  }

  #ensure({ kind, name }: Actor): void {
    const { cast } = this.#deps
    if (!cast.living().some((actor) => actor.kind === kind && actor.name === name)) cast.start(kind, name)
  }

  #pause(actor: Actor): void {
    const { time, random, trace } = this.#deps
    if (actor.process.paused) return
    const ms = random.pick([random.between(100, 3_000), random.between(3_000, 60_000)])
    trace(`${actor.process.name} sleeps for ${ms} ms`)
    actor.process.paused = true
    time.after(ms, time.outside, () => this.#wake(actor))
  }

  #wake({ process }: Actor): void {
    if (process.dead || !process.paused) return
    this.#deps.trace(`${process.name} wakes`)
    this.#deps.time.wake(process)
  }

  /** A node that is cut off: its pod is given up and made anew elsewhere, and then the first one is back. */
  #twin(actor: Actor): void {
    this.#pause(actor)
    this.#deps.cast.start(actor.kind, actor.name)
  }

  #stop(actor: Actor): void {
    const { cast, time, trace } = this.#deps
    trace(`${actor.process.name} is told to stop`)
    const end = (): void => this.#kill(actor, 'stopped')
    time.after(0, actor.process, () => void actor.close().then(end, end))
    time.after(25_000, time.outside, () => cast.living().includes(actor) && end())
  }

  #requested(when: 'before' | 'after', request: KubeRequest, process: SimProcess): void {
    const { cast } = this.#deps
    if (request.method !== 'PATCH' || !request.path.includes('/runs/')) return
    if (when === 'before') this.#writes++
    const sleeper = when === 'after' && this.#sleepyWrites.delete(this.#writes) ? cast.actorOf(process) : undefined
    if (sleeper && !this.over) this.#pause(sleeper)
    if (this.#fatalWrites.get(this.#writes) !== when) return
    this.#fatalWrites.delete(this.#writes)
    const actor = cast.actorOf(process)
    if (!actor || this.over) return
    this.diedAtWrites.push(`${this.#writes} ${when}`)
    this.#kill(actor, `${when} journal write ${this.#writes}`)
  }

  #stepped(process: SimProcess): void {
    const { time, cast } = this.#deps
    if (!this.#fatalSteps.has(time.steps) || this.over) return
    const actor = cast.actorOf(process)
    if (actor) this.#kill(actor, `at step ${time.steps}`)
  }

  #end(): void {
    const { network, queue, cast, scenario, random, time, trace } = this.#deps
    trace('the trouble is over')
    this.over = true
    network.weather = { ...network.weather, failAfter: 0, failBefore: 0, loss: 0, watchBreaks: 0, watchSilent: 0 }
    queue.faults = { loss: 0, twice: 0, slowMs: 10 }
    for (const actor of cast.living()) this.#wake(actor)
    const names = [
      ...Array.from({ length: scenario.operators }, (_, index) => ['operator', `op-${index}`] as const),
      ...Array.from({ length: scenario.workers }, (_, index) => ['worker', `w-${index}`] as const),
    ]
    // One of each kind may stay away for good: the others must do.
    const gone = random.chance(0.5) ? random.pick(names) : undefined
    for (const [kind, name] of names) {
      const alone = names.filter(([other]) => other === kind).length === 1
      if (gone?.[1] === name && !alone) continue
      const keep = (): void => {
        if (!cast.living().some((actor) => actor.name === name && actor.kind === kind)) cast.start(kind, name)
        time.after(5_000, time.outside, keep)
      }
      keep()
    }
  }
}
