/**
 * Who goes next. Pure, and the only place that knows: the operator asks it for everything it sees, and so does a worker that
 * looks for work itself while the queue is away.
 *
 * Two questions. May a Run begin (`admit`, `hold`): its objects are free and its namespace is below its limit. And in which
 * order do actions get free workers (`order`): those under way first; one that waited too long; then by priority; among equals
 * the namespace that has least; then the oldest.
 */
export interface OpenRun {
  /** `namespace/name` of the Run. */
  readonly key: string
  /** The ActionSet as people name it. */
  readonly label: string
  /** The namespace that workers are shared out to. */
  readonly share: string
  readonly priority: number
  /** When it was asked for, epoch ms. */
  readonly sinceMs: number
  /** Objects that it shares with nobody; none for a Run that goes beside others. */
  readonly objects: readonly string[]
  /** Its journal says that it may not begin yet. */
  readonly held: boolean
  /** Some action of it was launched, also one that has ended. */
  readonly begun: boolean
  readonly actions: readonly OpenAction[]
}

export interface OpenAction {
  readonly index: number
  /** `waiting`: could run now. `parked`: not before something else happened (its turn, an approval). */
  readonly state: 'running' | 'waiting' | 'parked'
  /** It was launched before: something outside may be half done. */
  readonly begun: boolean
  /** When it was launched, epoch ms. */
  readonly startedMs?: number
}

export interface QueueRules {
  readonly nowMs: number
  /** Runs of one namespace at a time. */
  readonly perShare: number
}

export interface Blocked {
  readonly for: 'Object' | 'Namespace'
  /** `label` of the Run that stands in the way; of a full namespace: none. */
  readonly holder?: string
}

export interface Turn {
  readonly run: OpenRun
  readonly index: number
  /** For a queue that takes the lowest number first: 1 to 2^21. */
  readonly lane: number
}

export interface QueueDecision {
  /** Keys of held Runs that may begin. */
  readonly admit: ReadonlySet<string>
  /** Keys of Runs that were let in although they must wait, and have not begun. */
  readonly hold: ReadonlySet<string>
  /** Why Runs must wait, by key. */
  readonly blocked: ReadonlyMap<string, Blocked>
  /** Every waiting action that is not blocked, most urgent first, and then those that are. */
  readonly order: readonly Turn[]
}

/** Who waited longer than this gets one worker of the engine, whatever the priorities. */
export const overdueMs = 30 * 60_000

/** What priority grows by while a Run waits for an object or a place of its namespace. */
const pointsPerHour = 10

export function decideQueue(runs: readonly OpenRun[], rules: QueueRules): QueueDecision {
  const admission = decideAdmission(runs, rules)
  return { ...admission, order: decideOrder(runs, admission.blocked, rules.nowMs) }
}

export type Admission = Pick<QueueDecision, 'admit' | 'hold' | 'blocked'>

/**
 * First whoever has begun keeps what it has, then those let in, oldest first, then those held, most urgent first. One that must
 * wait for an object keeps later ones from it: else one that wants two would never find both free.
 */
export function decideAdmission(runs: readonly OpenRun[], { nowMs, perShare }: QueueRules): Admission {
  const places = new Places(perShare)
  const hold = new Set<string>()
  const admit = new Set<string>()
  const blocked = new Map<string, Blocked>()
  const bound = runs.filter((run) => run.objects.length > 0 || run.held || perShare < Infinity)
  for (const run of bound.filter(hasBegun)) {
    places.take(run)
    // A mark that came too late: what has begun goes on.
    if (run.held) admit.add(run.key)
  }
  for (const run of bound.filter((each) => !hasBegun(each) && !each.held).sort(older)) {
    const why = places.tryTake(run)
    if (!why) continue
    hold.add(run.key)
    blocked.set(run.key, why)
  }
  for (const run of urgentFirst(
    bound.filter((each) => !hasBegun(each) && each.held),
    nowMs,
  )) {
    const why = places.tryTake(run)
    if (why) blocked.set(run.key, why)
    else admit.add(run.key)
  }
  return { admit, hold, blocked }
}

/** What Runs take: objects, and places of their namespace. */
class Places {
  readonly #perShare: number
  readonly #holders = new Map<string, string>()
  readonly #counts = new Map<string, number>()

  constructor(perShare: number) {
    this.#perShare = perShare
  }

  take(run: OpenRun): void {
    for (const object of run.objects) if (!this.#holders.has(object)) this.#holders.set(object, run.label)
    this.#counts.set(run.share, (this.#counts.get(run.share) ?? 0) + 1)
  }

  tryTake(run: OpenRun): Blocked | undefined {
    const taken = run.objects.find((object) => this.#holders.has(object))
    if (taken !== undefined) {
      const holder = this.#holders.get(taken)
      // What it waits for is spoken for: see above.
      for (const object of run.objects) if (!this.#holders.has(object)) this.#holders.set(object, run.label)
      return { for: 'Object', ...(holder === undefined ? {} : { holder }) }
    }
    if ((this.#counts.get(run.share) ?? 0) >= this.#perShare) {
      for (const object of run.objects) this.#holders.set(object, run.label)
      return { for: 'Namespace' }
    }
    this.take(run)
    return undefined
  }
}

export function decideOrder(runs: readonly OpenRun[], blocked: ReadonlyMap<string, Blocked>, nowMs: number): Turn[] {
  const running = new Map<string, number>()
  let overdueServed = false
  const waiting: { readonly run: OpenRun; readonly action: OpenAction }[] = []
  for (const run of runs) {
    for (const action of run.actions) {
      if (action.state === 'waiting') waiting.push({ run, action })
      if (action.state !== 'running') continue
      running.set(run.share, (running.get(run.share) ?? 0) + 1)
      if ((action.startedMs ?? run.sinceMs) - run.sinceMs > overdueMs) overdueServed = true
    }
  }
  const isFree = ({ run }: { readonly run: OpenRun }): boolean => !blocked.has(run.key) && !run.held
  const overdue = overdueServed ? undefined : longestWaiting(waiting.filter(isFree), nowMs)
  const turns = waiting
    .sort((a, b) => b.run.priority - a.run.priority || a.run.sinceMs - b.run.sinceMs)
    .map(({ run, action }) => {
      const rank = (running.get(run.share) ?? 0) + 1
      running.set(run.share, rank)
      const lane = action.begun ? 1 : run === overdue ? 2 : laneOf(run.priority, rank)
      return { turn: { run, index: action.index, lane }, free: isFree({ run }) }
    })
  return turns
    .sort((a, b) => Number(b.free) - Number(a.free) || a.turn.lane - b.turn.lane || a.turn.run.sinceMs - b.turn.run.sinceMs)
    .map(({ turn }) => turn)
}

const ranks = 1_000

/** Priority first, then how much of the engine the namespace would have with this one. */
function laneOf(priority: number, rank: number): number {
  const place = Math.min(2_000, Math.max(0, 1_000 - Math.round(priority)))
  return 3 + place * ranks + Math.min(rank, ranks) - 1
}

function longestWaiting(
  waiting: readonly { readonly run: OpenRun; readonly action: OpenAction }[],
  nowMs: number,
): OpenRun | undefined {
  const oldest = waiting.reduce<OpenRun | undefined>(
    (best, { run, action }) => (!action.begun && (!best || run.sinceMs < best.sinceMs) ? run : best),
    undefined,
  )
  return oldest && nowMs - oldest.sinceMs > overdueMs ? oldest : undefined
}

/** For a place that only one of several can have: waiting makes urgent, so that no stream of others keeps anybody out for ever. */
function urgentFirst(runs: readonly OpenRun[], nowMs: number): OpenRun[] {
  const urgency = (run: OpenRun): number => run.priority + ((nowMs - run.sinceMs) / 3_600_000) * pointsPerHour
  return [...runs].sort((a, b) => urgency(b) - urgency(a) || older(a, b))
}

function older(a: OpenRun, b: OpenRun): number {
  return a.sinceMs - b.sinceMs
}

function hasBegun(run: OpenRun): boolean {
  return run.begun || run.actions.some((action) => action.state === 'running')
}
