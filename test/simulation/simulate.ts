import { ownKinds } from '../../src/kube/own-kinds.ts'
import { collectionOf } from './sim-server.ts'
import { Cast } from './cast.ts'
import { Network } from './network.ts'
import { Observer } from './observer.ts'
import { OutsideWorld } from './outside-world.ts'
import { Random } from './random.ts'
import { drawScenario, namespace, type Scenario } from './scenario.ts'
import { SimQueue } from './sim-queue.ts'
import { SimServer } from './sim-server.ts'
import { TroubleMaker } from './troubles.ts'
import { isOver, judge } from './verdict.ts'
import { replaceGlobals } from './virtual-globals.ts'
import { VirtualTime } from './virtual-time.ts'

export interface Simulated {
  readonly seed: number
  /** What must not be; empty when all is well. */
  readonly complaints: readonly string[]
  readonly trace: readonly string[]
  readonly steps: number
  readonly virtualMs: number
  /** Rises with every write; the same for every run of a seed. */
  readonly fingerprint: string
  readonly counts: Readonly<Record<string, number>>
  readonly diedAtWrites: readonly string[]
}

/** So long after the trouble everything has come to its end. */
const patienceMs = 600_000

/** Those that wait for each other take as long as all of them together. */
function patienceOf({ actionSets, perNamespace }: Scenario): number {
  return patienceMs * (perNamespace > 0 || actionSets.some(({ serialized }) => serialized) ? actionSets.length * 2 : 1)
}

/** One seed: the real engine in a world of its own, from its first ActionSet to the end of the last. */
export async function simulate(seed: number, options: { readonly traced?: boolean } = {}): Promise<Simulated> {
  const random = new Random(seed, 1)
  const scenario = drawScenario(random, new Random(seed, 4), new Random(seed, 5), new Random(seed, 6))
  const time = new VirtualTime(new Random(seed, 2))
  const restore = replaceGlobals(time, new Random(seed, 3))
  try {
    return await play(seed, scenario, time, random, options.traced ?? false)
  } finally {
    restore()
  }
}

async function play(seed: number, scenario: Scenario, time: VirtualTime, random: Random, traced: boolean): Promise<Simulated> {
  const startMs = time.now
  const lines: string[] = []
  const trace = (text: string): void => {
    if (traced) lines.push(`${((time.now - startMs) / 1000).toFixed(3)} ${text}`)
  }
  const server = new SimServer(() => time.now)
  const network = new Network(time, random)
  const queue = new SimQueue(time, random, trace)
  const world = new OutsideWorld(time, random)
  const observer = new Observer(scenario.concurrency)
  const deps = {
    time,
    random,
    network,
    server,
    queue,
    world,
    concurrency: scenario.concurrency,
    perNamespace: scenario.perNamespace,
    trace,
  }
  const cast = new Cast({ ...deps, onRunning: (actor) => observer.sawRunning(actor) })
  const created = new Map<string, string>()
  server.onWrite = (write) => {
    if (write.collection === collectionOf(ownKinds.actionSets) && !write.before && write.after)
      created.set(write.after.metadata.name, write.after.metadata.uid)
    observer.saw(write, cast)
    if (traced && !write.collection.endsWith('leases'))
      trace(`write ${write.key} by ${write.by?.name ?? 'user'} ${brief(write.after)}`)
  }
  furnish(server)
  const trouble = new TroubleMaker({ ...deps, cast, scenario })
  trouble.start()
  let lookedAt = -1
  const over = (): boolean => {
    if (observer.complaints.length > 0) return true
    // Nothing comes to its end without a write.
    if (!trouble.over || lookedAt === server.version) return false
    lookedAt = server.version
    return scenario.actionSets.every((drawn) => isOver(server, created, drawn))
  }
  await time.run(over, startMs + scenario.troubleMs + patienceOf(scenario))
  const complaints = [
    ...observer.complaints,
    ...(observer.complaints.length > 0
      ? []
      : scenario.actionSets.flatMap((drawn) => judge(server, world, created, drawn, isCrowded(scenario)))),
  ]
  return {
    seed,
    complaints,
    trace: lines,
    steps: time.steps,
    virtualMs: Math.round(time.now - startMs),
    fingerprint: `${time.steps}-${server.version}-${time.now}`,
    counts: { ...cast.counts(), actionSets: scenario.actionSets.length },
    diedAtWrites: trouble.diedAtWrites,
  }
}

/** What hangs may take every place that there is for as long as a phase may last, and what lost its worker then misses its own deadline. */
function isCrowded({ actionSets, workers, concurrency }: Scenario): boolean {
  const all = actionSets.flatMap(({ actions }) => actions.flatMap(({ phases }) => phases))
  // One worker may stay away for good.
  return all.filter(({ hang }) => hang).length >= Math.max(1, workers - 1) * concurrency
}

/** What every installation has. */
function furnish(server: SimServer): void {
  const of = (kind: string): object => ({ apiVersion: 'v1', kind })
  server.put({ group: '', version: 'v1', resource: 'namespaces' }, { ...of('Namespace'), metadata: { name: 'app' } })
  const secret = { ...of('Secret'), metadata: { name: 'key', namespace }, data: { id: btoa('i'), secret: btoa('s') } }
  server.put({ group: '', version: 'v1', resource: 'secrets' }, secret)
  const keyPair = { idField: 'id', secretField: 'secret', secret: { name: 'key', namespace } }
  server.put(ownKinds.profiles, {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Profile',
    metadata: { name: 'profile', namespace },
    location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3' },
    credential: { type: 'keyPair', keyPair },
  } as never)
}

/** The states of what was written, for the trace. */
function brief(object: unknown): string {
  const { status } = (object ?? {}) as { status?: { state?: string; actions?: unknown; cancel?: unknown } }
  if (!status) return object ? '' : 'gone'
  const actions = Object.values((status.actions ?? {}) as Record<string, Record<string, unknown>>).map((action) => {
    const { fence, state, phases, deferPhase } = action as {
      fence?: { owner: string; instance: string; attempt: number }
      state?: string
      phases?: { state: string }[]
      deferPhase?: { state: string }
    }
    const states = [...(phases ?? []), deferPhase].map((phase) => phase?.state.slice(0, 4) ?? '-').join(',')
    return `${fence ? `${fence.owner}/${fence.instance}#${fence.attempt} ` : ''}${state ?? ''}[${states}]`
  })
  return `${status.state ?? ''} ${status.cancel ? 'cancel ' : ''}${actions.join(' ')}`
}
