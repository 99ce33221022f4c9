import { isDeepStrictEqual } from 'node:util'
import type { ActionSet, ActionStatus } from '../../src/api/actionset.ts'
import { names } from '../../src/api/names.ts'
import type { Run, RunAction } from '../../src/api/run.ts'
import { isEnded } from '../../src/engine/machine.ts'
import { actionsOf } from '../../src/engine/project.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import type { Actor, Cast } from './cast.ts'
import { collectionOf, type Write } from './sim-server.ts'

const rank: Readonly<Record<string, number>> = { '': 0, pending: 0, running: 1, complete: 2, failed: 2 }

/** Looks at every write at the moment it is carried out, and says what must never be. */
export class Observer {
  readonly complaints: string[] = []
  readonly #concurrency: number
  /** Names of the Runs that have an object for themselves. */
  readonly #holders = new Set<string>()

  constructor(concurrency: number) {
    this.#concurrency = concurrency
  }

  saw(write: Write, cast: Cast): void {
    if (!write.before || !write.after) return
    const actor = cast.actorOf(write.by)
    if (write.collection === collectionOf(ownKinds.runs))
      this.#sawRun(write.before as unknown as Run, write.after as unknown as Run, actor)
    if (write.collection === collectionOf(ownKinds.actionSets))
      this.#sawActionSet(write.before as unknown as ActionSet, write.after as unknown as ActionSet, actor)
  }

  sawRunning(actor: Actor): void {
    if (actor.running > this.#concurrency)
      this.complaints.push(`${actor.process.name} runs ${actor.running} functions at once, more than ${this.#concurrency}`)
  }

  /** Of Runs that share their objects with nobody one at a time is launched and unfinished. */
  #sawHolder(before: Run, after: Run): void {
    if (!after.spec.queue?.objects?.length) return
    const key = after.metadata.name
    const isLaunched = (run: Run): boolean => actionsOf(run).some(({ launched }) => launched)
    if (isLaunched(after)) this.#holders.add(key)
    if (actionsOf(after).every(isEnded)) this.#holders.delete(key)
    if (this.#holders.size > 1 && !isLaunched(before))
      this.complaints.push(`${after.spec.actionSet.name}: began although another works on its object`)
    if (before.status.held && after.status.held && isLaunched(after))
      this.complaints.push(`${after.spec.actionSet.name}: began although it is held`)
  }

  #sawRun(before: Run, after: Run, actor: Actor | undefined): void {
    this.#sawHolder(before, after)
    const changed = actionsOf(after).map((action, index) => [actionsOf(before)[index], action] as const)
    for (const [index, [was, is]] of changed.entries()) {
      const where = `${after.spec.actionSet.name}/${index}`
      if (!was || isDeepStrictEqual(was, is)) continue
      if (actor?.kind === 'worker') this.#ownsIt(where, was, is, actor)
      this.#forward(where, was, is)
      if (isEnded(was)) this.complaints.push(`${where}: changed after its end by ${actor?.process.name}`)
      if (was.launched && !is.launched) this.complaints.push(`${where}: launched was taken back`)
      if (is.fence.attempt < was.fence.attempt || is.dispatch < was.dispatch)
        this.complaints.push(`${where}: fence or dispatch went back by ${actor?.process.name}`)
    }
    const marked = after.metadata.labels?.[names.unfinished] === 'false'
    if (marked && !actionsOf(after).every(isEnded))
      this.complaints.push(`${after.spec.actionSet.name}: marked as finished while something is left to do`)
    if (!marked && before.metadata.labels?.[names.unfinished] === 'false')
      this.complaints.push(`${after.spec.actionSet.name}: unfinished again`)
  }

  /** Only the owner writes, or who takes what is free or was left by an earlier start of the same worker. */
  #ownsIt(where: string, was: RunAction, is: RunAction, { name, instance, process }: Actor): void {
    const { owner } = was.fence
    if (owner === name && was.fence.instance === instance) return
    const rises = is.fence.attempt > was.fence.attempt
    const takes = rises && (is.fence.owner === '' || (is.fence.owner === name && is.fence.instance === instance))
    if (takes && (owner === '' || owner === name)) return
    this.complaints.push(`${where}: ${process.name} wrote although ${owner}/${was.fence.instance} owns it`)
  }

  #forward(where: string, was: RunAction, is: RunAction): void {
    this.#step(where, was.state, is.state)
    for (const [index, phase] of is.phases.entries()) this.#step(`${where}/p${index}`, was.phases[index]?.state, phase.state)
    this.#step(`${where}/defer`, was.deferPhase?.state, is.deferPhase?.state)
  }

  #sawActionSet(before: ActionSet, after: ActionSet, actor: Actor | undefined): void {
    const { name } = after.metadata
    this.#step(`status of ${name}`, before.status?.state, after.status?.state)
    const was = before.status?.actions ?? []
    for (const [index, action] of (after.status?.actions ?? []).entries())
      this.#statusForward(`status of ${name}/${index}`, was[index], action)
    if (actor?.kind === 'worker') this.complaints.push(`${name}: status written by worker ${actor.process.name}`)
  }

  #statusForward(where: string, was: ActionStatus | undefined, is: ActionStatus): void {
    for (const [index, phase] of (is.phases ?? []).entries())
      this.#step(`${where}/p${index}`, was?.phases?.[index]?.state, phase.state)
    this.#step(`${where}/defer`, was?.deferPhase?.state, is.deferPhase?.state)
  }

  #step(where: string, was: string | undefined, is: string | undefined): void {
    const from = rank[was ?? ''] ?? 0
    const to = rank[is ?? ''] ?? 0
    if (to < from || (from === 2 && was !== is)) this.complaints.push(`${where}: went from ${was} to ${is}`)
  }
}
