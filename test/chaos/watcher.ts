import type { ActionSet } from '../../src/api/actionset.ts'
import type { Fence, Run } from '../../src/api/run.ts'
import { actionsOf } from '../../src/engine/project.ts'
import { isEnded } from '../../src/engine/machine.ts'
import type { Kube } from '../../src/kube/kube.ts'
import type { Informer } from '../../src/kube/informer.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'

const rank: Readonly<Record<string, number>> = { '': 0, pending: 0, running: 1, complete: 2, failed: 2 }

/** One sight of an action in its Run. */
export interface Sight {
  readonly atMs: number
  readonly fence: Fence
  readonly ended: boolean
}

/** Sees every version of Runs and ActionSets that a watch shows: who owned what when, and whether anything ever went back. */
export class Watcher {
  readonly complaints: string[] = []
  readonly runs: Informer<Run>
  readonly actionSets: Informer<ActionSet>
  /** By `<Run>/<action index>`, in order of time. */
  readonly sights = new Map<string, Sight[]>()
  /** Journal writes seen so far. */
  writes = 0
  readonly #waiting = new Set<{ readonly at: number; readonly go: () => void }>()

  constructor(kube: Kube, namespace: string) {
    this.runs = kube.informer(ownKinds.runs, { namespace })
    this.actionSets = kube.informer(ownKinds.actionSets, { namespace })
    this.runs.onChange((_key, run, before) => run && this.#sawRun(run, before))
    this.actionSets.onChange((_key, now, before) => now && before && this.#sawActionSet(now, before))
  }

  async synced(): Promise<void> {
    await Promise.all([this.runs.synced, this.actionSets.synced])
  }

  /** Resolves at the `count`th journal write from now. */
  async write(count: number): Promise<void> {
    await new Promise<void>((go) => this.#waiting.add({ at: this.writes + count, go }))
  }

  /** Actions that this start of a worker owned when it was looked last, and that had not ended. */
  ownedBy(owner: string): string[] {
    return [...this.sights].flatMap(([key, sights]) => {
      const last = sights.at(-1)
      return last && !last.ended && last.fence.owner === owner ? [key] : []
    })
  }

  /** When an action that this fence had was taken by a later one, or ended; undefined: not yet. */
  takenAt(key: string, than: Fence): number | undefined {
    return this.sights
      .get(key)
      ?.find(
        ({ fence, ended }) => (fence.owner !== '' && fence.attempt > than.attempt) || (ended && fence.attempt >= than.attempt),
      )?.atMs
  }

  async close(): Promise<void> {
    await Promise.all([this.runs.close(), this.actionSets.close()])
  }

  #sawRun(run: Run, before: Run | undefined): void {
    this.writes++
    for (const each of this.#waiting) {
      if (this.writes < each.at) continue
      this.#waiting.delete(each)
      each.go()
    }
    for (const [index, action] of actionsOf(run).entries()) {
      const key = `${run.metadata.name}/${index}`
      const sights = this.sights.get(key) ?? []
      this.sights.set(key, sights)
      sights.push({ atMs: performance.now(), fence: action.fence, ended: isEnded(action) })
      const was = before && actionsOf(before)[index]
      if (!was) continue
      const where = `${run.spec.actionSet.name}/${index}`
      this.#step(where, was.state, action.state)
      for (const [at, phase] of action.phases.entries())
        this.#step(`${where}/${phase.name}`, was.phases[at]?.state, phase.state)
      this.#step(`${where}/deferred`, was.deferPhase?.state, action.deferPhase?.state)
      if (isEnded(was) && JSON.stringify(was) !== JSON.stringify(action)) this.complaints.push(`${where} changed after its end`)
      if (action.fence.attempt < was.fence.attempt) this.complaints.push(`${where}: the fence went back`)
    }
  }

  #sawActionSet(now: ActionSet, before: ActionSet): void {
    const { name } = now.metadata
    this.#step(`status of ${name}`, before.status?.state, now.status?.state)
    for (const [index, action] of (now.status?.actions ?? []).entries()) {
      const was = before.status?.actions?.[index]
      for (const [at, phase] of (action.phases ?? []).entries())
        this.#step(`status of ${name}/${phase.name}`, was?.phases?.[at]?.state, phase.state)
    }
  }

  #step(where: string, was: string | undefined, is: string | undefined): void {
    const from = rank[was ?? ''] ?? 0
    const to = rank[is ?? ''] ?? 0
    if (to < from || (from === 2 && was !== is)) this.complaints.push(`${where} went from ${was} to ${is}`)
  }
}
