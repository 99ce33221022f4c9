import type { ActionSet } from '../../api/actionset.ts'
import type { Run } from '../../api/run.ts'
import type { Clock } from '../../base/clock.ts'
import { mapBounded } from '../../base/semaphore.ts'
import { isJournal } from '../../engine/project.ts'
import type { Informer } from '../../kube/informer.ts'
import type { Kube } from '../../kube/kube.ts'
import { keyOf, parseKey, type Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { Freshest } from '../runtime/freshest.ts'
import { isMarkedFinished } from './decide.ts'
import { isSettled, isStripped, keepOfActionSet, keepOfRun } from './projection.ts'

export interface CachesOptions {
  readonly kube: Pick<Kube, 'informer' | 'resource'>
  readonly clock: Clock
  readonly namespace: string
  readonly signal: AbortSignal
  /** Called with the key (`namespace/name`) of each ActionSet that deserves a look. */
  readonly onKey: (key: string) => void
  readonly onError: (error: unknown) => void
  /** Called with the name of each Run that is no journal of ours, and is left alone. */
  readonly onStranger: (name: string) => void
}

/** Full copies of Runs that ended just now, so that their last status needs no further read. */
const recentLimit = 200
/** Runs that are asked for at once. */
const asksAtOnce = 4

/** What the operator knows of one namespace. */
export class Caches {
  readonly actionSets: Informer<ActionSet>
  readonly runs: Informer<Run>
  readonly #options: CachesOptions
  readonly #writtenRuns: Freshest<Run>
  readonly #writtenActionSets: Freshest<ActionSet>
  /** Keys of unfinished Runs by the key of their ActionSet. */
  readonly #unfinished = new Map<string, Set<string>>()
  readonly #recent = new Map<string, Live<Run>>()
  /** UIDs of ActionSets whose last status is written although it does not show it, by their keys. */
  readonly #final = new Map<string, string>()

  constructor(options: CachesOptions) {
    this.#options = options
    const { kube, clock, namespace, signal, onError } = options
    this.#writtenRuns = new Freshest(() => clock.now(), { believesUnseen: 'yes' })
    this.#writtenActionSets = new Freshest(() => clock.now())
    this.actionSets = kube.informer(ownKinds.actionSets, { namespace, signal, onError, project: keepOfActionSet })
    this.runs = kube.informer(ownKinds.runs, { namespace, signal, onError, project: (run) => this.#keepRun(run) })
    this.runs.onChange((key, run, before) => this.#runChanged(key, run, before))
    this.actionSets.onChange((key, actionSet) => this.#actionSetChanged(key, actionSet))
  }

  async synced(): Promise<void> {
    await Promise.all([this.actionSets.synced, this.runs.synced])
  }

  async close(): Promise<void> {
    await Promise.all([this.actionSets.close(), this.runs.close()])
  }

  actionSet(key: string): Live<ActionSet> | undefined {
    return this.#writtenActionSets.pick(key, this.actionSets.getByKey(key))
  }

  /** Only what is kept of it when it has ended; `isStripped` tells. */
  run(namespace: string, name: string): Live<Run> | undefined {
    const key = `${namespace}/${name}`
    const run = this.#writtenRuns.pick(key, this.runs.getByKey(key))
    return run && isStripped(run) ? (this.#recent.get(key) ?? run) : run
  }

  unfinishedRuns(actionSetKey: string): Live<Run>[] {
    return [...(this.#unfinished.get(actionSetKey) ?? [])].flatMap(
      (key) => this.#writtenRuns.pick(key, this.runs.getByKey(key)) ?? [],
    )
  }

  get hasUnfinished(): boolean {
    return this.#unfinished.size > 0
  }

  openRuns(): Live<Run>[] {
    return [...this.#unfinished.keys()].flatMap((key) => this.unfinishedRuns(key))
  }

  /** Keys of all ActionSets with something left to do. */
  unsettledKeys(): string[] {
    const open = this.actionSets.list().filter((actionSet) => !isSettled(actionSet) && !this.isFinal(actionSet))
    return [...new Set([...this.#unfinished.keys(), ...open.map(keyOf)])]
  }

  wroteRun(run: Live<Run>): void {
    const key = keyOf(run)
    this.#writtenRuns.wrote(key, run)
    this.#index(key, run)
  }

  /** A Run as the server showed it beside the watch, which may be silent. */
  readRun(run: Live<Run>): void {
    const key = keyOf(run)
    this.#writtenRuns.read(key, run, this.runs.getByKey(key))
    this.#index(key, this.#writtenRuns.pick(key, this.runs.getByKey(key)) ?? run)
  }

  /** Asks the server for Runs that the watch should have shown long ago. Until then they are there: what they hold is taken, and they may be orphans. */
  async askForUnseen(signal: AbortSignal): Promise<void> {
    const runs = this.#options.kube.resource(ownKinds.runs)
    const ask = async (key: string): Promise<void> => {
      const run = await runs.find(parseKey(key), { signal })
      if (run) return this.readRun(run)
      this.#writtenRuns.gone(key)
      if (!this.runs.getByKey(key)) this.#forget(key)
    }
    await mapBounded(this.#writtenRuns.overdue(), asksAtOnce, ask, signal)
  }

  wroteActionSet(actionSet: Live<ActionSet>): void {
    this.#writtenActionSets.wrote(keyOf(actionSet), actionSet)
  }

  /** The status of a Run that has ended was written: its full copy is not needed any more. */
  settled(runKey: string): void {
    this.#recent.delete(runKey)
  }

  /** The same, and its ActionSet has the status that it keeps. */
  final(key: string, { metadata, status }: Live<ActionSet>): void {
    if (!isSettled({ ...(status ? { status } : {}) })) this.#final.set(key, metadata.uid)
  }

  isFinal(actionSet: Live<ActionSet>): boolean {
    return this.#final.get(keyOf(actionSet)) === actionSet.metadata.uid
  }

  #keepRun(run: Live<Run>): Live<Run> {
    if (!isJournal(run)) this.#options.onStranger(run.metadata.name)
    else if (isMarkedFinished(run) && this.runs?.hasSynced) {
      this.#recent.set(keyOf(run), run)
      const oldest = this.#recent.keys().next().value
      if (this.#recent.size > recentLimit && oldest !== undefined) this.#recent.delete(oldest)
    }
    return keepOfRun(run)
  }

  #runChanged(key: string, run: Live<Run> | undefined, before: Live<Run> | undefined): void {
    this.#writtenRuns.seen(key, run)
    const any = run ?? before
    if (!any) return
    this.#index(key, run ?? any, run === undefined)
    // Of Runs that had ended before we started, those count whose ActionSet does not know it; it announces itself.
    if (run && isMarkedFinished(run) && !before && !this.#recent.has(key)) return
    this.#options.onKey(actionSetKeyOf(any))
  }

  #actionSetChanged(key: string, actionSet: Live<ActionSet> | undefined): void {
    this.#writtenActionSets.seen(key, actionSet)
    if (!actionSet) this.#final.delete(key)
    if (!actionSet || !isSettled(actionSet) || this.#unfinished.has(key)) this.#options.onKey(key)
  }

  #forget(runKey: string): void {
    for (const [key, runs] of this.#unfinished) if (runs.delete(runKey) && runs.size === 0) this.#unfinished.delete(key)
  }

  #index(runKey: string, run: Live<Run>, gone = false): void {
    const key = actionSetKeyOf(run)
    const known = this.#unfinished.get(key)
    if (!gone && !isMarkedFinished(run)) {
      if (known) known.add(runKey)
      else this.#unfinished.set(key, new Set([runKey]))
    } else if (known?.delete(runKey) && known.size === 0) this.#unfinished.delete(key)
  }
}

export function actionSetKeyOf(run: Live<Run>): string {
  return `${run.metadata.namespace ?? ''}/${run.spec.actionSet.name}`
}
