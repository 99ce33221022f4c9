import type { Waiting } from '../../api/actionset.ts'
import type { Run } from '../../api/run.ts'
import type { Clock } from '../../base/clock.ts'
import type { NewRun } from '../../engine/new-run.ts'
import { openRunOf } from '../../engine/queue-entry.ts'
import {
  decideAdmission,
  decideOrder,
  type Admission,
  type Blocked,
  type OpenRun,
  type Turn,
} from '../../engine/queue-policy.ts'
import type { Live } from '../../kube/objects.ts'
import { describeExpiry, describeWait } from './waiting-words.ts'

export interface WaitingLineOptions {
  readonly clock: Clock
  readonly engineNamespace: string
  /** Runs of one namespace that may be under way at a time. */
  readonly perShare: number
  /** Jobs that wait in the queue at a time; the rest waits here, where its order can still change. */
  readonly window: number
  /** How long a Run that must wait for an object may do so unless it says otherwise, in ms. */
  readonly objectTimeoutMs: number
}

/** A namespace whose Runs stand in the line. */
export interface LineSource {
  openRuns(): readonly Live<Run>[]
  /** Asks for a look at the ActionSet of that Run. */
  lookAt(run: Live<Run>): void
}

/** What the line says of one Run. */
export interface Verdict {
  /** `stay`: held, and must be. `admit`: held, and may begin. `hold`: it got in although it must wait. */
  readonly step: 'go' | 'stay' | 'admit' | 'hold'
  /** Actions that may be offered to workers now, with their place in the queue. */
  readonly lanes: ReadonlyMap<number, number>
  readonly waiting?: Waiting
  /** It waited longer than it may. */
  readonly expired?: string
}

/** How often the order is looked at while things change, in ms. */
const tickMs = 100
const admissionMs = 20
/** What is shown is renewed this often, in ms: a thousand that move up must not be a thousand writes. */
const shownMs = 5_000
/** For how long a decision counts that no cache shows yet, in ms. */
const grantMs = 30_000

interface Grant {
  readonly run: OpenRun
  /** The Run is not made yet. */
  readonly isNew: boolean
  readonly untilMs: number
}

interface Order {
  readonly turns: readonly Turn[]
  /** 1 is next, by the key of the Run. */
  readonly places: ReadonlyMap<string, number>
  readonly atMs: number
}

/**
 * Everything of this operator that waits, over all its namespaces. It remembers nothing that matters: who may begin stands in
 * the Runs (`status.held`), the order comes from them alone, and jobs in Redis are hints.
 */
export class WaitingLine {
  readonly #options: WaitingLineOptions
  readonly #sources = new Set<LineSource>()
  readonly #views = new WeakMap<Run, OpenRun>()
  /** Runs just let in, until the caches show it. */
  readonly #grants = new Map<string, Grant>()
  readonly #shown = new Map<string, { readonly waiting: Waiting; readonly atMs: number }>()
  /** Turns that were told of, so that each is told once. */
  #told = new Set<string>()
  #order: Order | undefined
  #admitted: { readonly admission: Admission; readonly atMs: number } | undefined
  #ticking = false

  constructor(options: WaitingLineOptions) {
    this.#options = options
  }

  join(source: LineSource): () => void {
    this.#sources.add(source)
    return () => this.#sources.delete(source)
  }

  /** True if a Run that is about to be made may begin at once; it then has its place. */
  admitsNew(run: NewRun): boolean {
    const { clock, engineNamespace } = this.#options
    const open = openRunOf(run, engineNamespace, clock.now())
    if (open.objects.length === 0 && this.#options.perShare === Infinity) return true
    const admission = this.#admission([...this.#openRuns().filter(({ key }) => key !== open.key), { ...open, held: true }])
    if (!admission.admit.has(open.key)) return false
    this.#grant({ run: open, isNew: true, untilMs: clock.now() + grantMs })
    return true
  }

  /** A place is taken for the Run before its journal says so: of two that are decided on at once only one gets it. */
  verdictOn(run: Live<Run>): Verdict {
    const open = this.#view(run)
    const admission = this.#isBound(open) ? this.#admissionFor(open) : undefined
    const blocked = admission?.blocked.get(open.key)
    const step = this.#stepOf(open, admission)
    if (step === 'admit') {
      const untilMs = this.#options.clock.now() + grantMs
      this.#grant({ run: { ...open, held: false }, isNew: false, untilMs })
    }
    const expired = this.#expiry(run, open, blocked)
    const lanes = step === 'go' ? this.#lanesOf(open) : new Map<number, number>()
    const waiting = this.#waitingOf(open, blocked)
    return { step, lanes, ...(waiting ? { waiting } : {}), ...(expired ? { expired } : {}) }
  }

  /** Something began or ended: soon somebody else may be next. */
  changed(): void {
    if (this.#ticking) return
    this.#ticking = true
    void this.#options.clock.sleep(tickMs).then(() => {
      this.#ticking = false
      this.#tell()
    })
  }

  #stepOf(open: OpenRun, admission: Admission | undefined): Verdict['step'] {
    // The admission may be some ms older than this look at the Run.
    const hasBegun = open.begun || open.actions.some(({ state }) => state === 'running')
    const mustWait = !hasBegun && admission?.hold.has(open.key)
    if (!open.held) return mustWait ? 'hold' : 'go'
    return hasBegun || admission?.admit.has(open.key) || (this.#grants.has(open.key) && !mustWait) ? 'admit' : 'stay'
  }

  #isBound(run: OpenRun): boolean {
    return run.held || run.objects.length > 0 || this.#options.perShare < Infinity
  }

  #grant(grant: Grant): void {
    this.#grants.set(grant.run.key, grant)
    this.#admitted = undefined
  }

  /** What ended since costs its successor some ms; what was let in since is a grant, and counts at once. */
  #admissionFor({ key, held }: OpenRun): Admission {
    const now = this.#options.clock.now()
    const last = this.#admitted
    const isKnown = !held || this.#grants.has(key) || last?.admission.blocked.has(key) || last?.admission.admit.has(key)
    if (last && isKnown && now - last.atMs < admissionMs) return last.admission
    const admission = this.#admission(this.#openRuns())
    this.#admitted = { admission, atMs: now }
    return admission
  }

  #admission(runs: readonly OpenRun[]): Admission {
    return decideAdmission(runs, { nowMs: this.#options.clock.now(), perShare: this.#options.perShare })
  }

  #openRuns(): OpenRun[] {
    const now = this.#options.clock.now()
    const seen = new Map([...this.#sources].flatMap((source) => source.openRuns().map((run) => [keyOf(run), this.#view(run)])))
    for (const [key, { run, isNew, untilMs }] of this.#grants) {
      const there = seen.get(key)
      if (untilMs < now || there?.held === false || (!there && !isNew)) this.#grants.delete(key)
      else seen.set(key, there ? { ...there, held: false } : run)
    }
    return [...seen.values()]
  }

  #view(run: Live<Run>): OpenRun {
    const known = this.#views.get(run)
    if (known) return known
    const view = openRunOf(run, this.#options.engineNamespace)
    this.#views.set(run, view)
    return view
  }

  /** While few wait, the order is made anew at each question; with many, every `tickMs`. */
  #currentOrder(runKey: string): Order {
    const { clock, window } = this.#options
    const now = clock.now()
    const isFull = (this.#order?.turns.length ?? 0) > window
    if (this.#order && now - this.#order.atMs < (isFull ? tickMs : this.#order.places.has(runKey) ? 20 : 0)) return this.#order
    const runs = this.#openRuns()
    return this.#orderOf(runs, this.#admission(runs), now)
  }

  #orderOf(runs: readonly OpenRun[], { blocked }: Admission, now: number): Order {
    const turns = decideOrder(runs, blocked, now)
    const places = new Map<string, number>()
    for (const [index, { run }] of turns.entries()) if (!places.has(run.key)) places.set(run.key, index + 1)
    this.#order = { turns, places, atMs: now }
    return this.#order
  }

  #lanesOf(open: OpenRun): ReadonlyMap<number, number> {
    const { turns } = this.#currentOrder(open.key)
    const near = turns.slice(0, this.#options.window).filter(({ run }) => run.key === open.key)
    return new Map(near.map(({ index, lane }) => [index, lane]))
  }

  #waitingOf(open: OpenRun, blocked: Blocked | undefined): Waiting | undefined {
    if (open.begun || open.actions.some((action) => action.state === 'running')) {
      this.#shown.delete(open.key)
      return undefined
    }
    const now = this.#options.clock.now()
    const last = this.#shown.get(open.key)
    if (last && now - last.atMs < shownMs) return last.waiting
    const waiting = describeWait(open, blocked, this.#currentOrder(open.key).places.get(open.key))
    this.#shown.set(open.key, { waiting, atMs: now })
    return waiting
  }

  #expiry(run: Live<Run>, open: OpenRun, blocked: Blocked | undefined): string | undefined {
    const limitMs = run.spec.queue?.timeoutMs ?? (open.objects.length > 0 ? this.#options.objectTimeoutMs : Infinity)
    if (this.#options.clock.now() - open.sinceMs <= limitMs) return undefined
    return describeExpiry(limitMs, blocked)
  }

  /** Asks for a look at each Run whose turn has come since the last time. */
  #tell(): void {
    this.#order = undefined
    this.#admitted = undefined
    const bySource = new Map(
      [...this.#sources].flatMap((source) => source.openRuns().map((run) => [keyOf(run), { source, run }])),
    )
    for (const key of this.#shown.keys()) if (!bySource.has(key)) this.#shown.delete(key)
    if (bySource.size === 0) this.#told.clear()
    if (bySource.size === 0) return
    const runs = this.#openRuns()
    const admission = this.#admission(runs)
    const { admit, hold } = admission
    const { turns } = this.#orderOf(runs, admission, this.#options.clock.now())
    const due = turns.slice(0, this.#options.window).map(({ run, index }) => [run.key, `${run.key}#${index}`] as const)
    const news = new Set(due.flatMap(([key, turn]) => (this.#told.has(turn) ? [] : [key])))
    this.#told = new Set(due.map(([, turn]) => turn))
    for (const key of new Set([...news, ...admit, ...hold])) {
      const found = bySource.get(key)
      found?.source.lookAt(found.run)
    }
  }
}

function keyOf(run: Live<Run>): string {
  return `${run.metadata.namespace}/${run.metadata.name}`
}
