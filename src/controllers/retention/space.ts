import type { ActionSet } from '../../api/actionset.ts'
import type { PrunedRepository } from '../../api/schedule.ts'
import { toRfc3339 } from '../../base/clock.ts'

/** A repository that a removal took snapshots out of. */
export interface LostRepository {
  readonly path: string
  /** `namespace/name`. */
  readonly profile: string
}

/** Removals come in bunches; one prune serves them all. */
const settleMs = 10 * 60_000
/** What was marked stays for an hour (`PruneRepository`), so sooner there is nothing to remove. */
const nextStepMs = 65 * 60_000
const firstRetryMs = 10 * 60_000
const longestMs = 24 * 3_600_000
/** A foreign installation may be taken over at any time. */
export const foreignMs = 6 * 3_600_000
/** An ActionSet that was made a moment ago may not be in the cache yet. */
const unseenMs = 2 * 60_000
/** Each takes a place of a worker. */
const mostAtOnce = 2

/** Notes what removals have left. To be durable before their backups are forgotten by the catalog. */
export function noteLost(
  before: readonly PrunedRepository[],
  lost: readonly LostRepository[],
  now: number,
): readonly PrunedRepository[] {
  if (lost.length === 0) return before
  const kept = before.map((each) => (lost.some((other) => isSame(each, other)) ? { ...each, lost: toRfc3339(now) } : each))
  const added = lost.filter(
    (each, at) => !before.some((old) => isSame(old, each)) && lost.findIndex((other) => isSame(each, other)) === at,
  )
  return [
    ...kept,
    ...added.map(({ path, profile }) => ({
      path,
      profile,
      lost: toRfc3339(now),
      next: toRfc3339(now + settleMs),
      fruitless: 0,
      message: '',
    })),
  ]
}

export function isSame(a: LostRepository, b: LostRepository): boolean {
  return a.path === b.path && a.profile === b.profile
}

/** What a removal that ended says: the function's output `unpruned`, in whichever phase it stands. */
export function lostBy({ spec, status, metadata }: ActionSet, defaultProfile: string): LostRepository[] {
  return (status?.actions ?? []).flatMap(({ phases = [] }, index) => {
    const { name = '', namespace = metadata.namespace ?? '' } = spec?.actions?.[index]?.profile ?? {}
    const profile = name === '' ? defaultProfile : `${namespace}/${name}`
    const paths = phases.flatMap(({ output }) => {
      const text = output?.['unpruned']
      return typeof text === 'string' ? text.split('\n').filter((path) => path !== '') : []
    })
    return paths.map((path) => ({ path, profile }))
  })
}

export interface SpaceView {
  readonly repositories: readonly PrunedRepository[]
  /** Prunes, by name. */
  readonly actionSets: ReadonlyMap<string, ActionSet>
  /** False: what runs is followed to its end, nothing is begun. */
  readonly mayStart: boolean
  readonly now: number
}

export interface SpaceDecision {
  readonly repositories: readonly PrunedRepository[]
  /** Those among them whose time has come. */
  readonly due: readonly PrunedRepository[]
  /** What prunes that have ended since the last look gave back. */
  readonly freedBytes: number
}

/**
 * What is next for each repository: first a prune that marks, after the grace one that removes, and again until nothing waits. Pure. Each
 * prune that fails or frees nothing doubles the time until the next.
 */
export function decideSpace({ repositories, actionSets, mayStart, now }: SpaceView): SpaceDecision {
  let freedBytes = 0
  const looked = repositories.flatMap((each) => {
    if (each.actionSet === undefined) return mayStart ? [each] : []
    const { after, freed } = lookAt(each, actionSets.get(each.actionSet), now)
    freedBytes += freed
    return after ? [after] : []
  })
  const running = looked.filter(({ actionSet }) => actionSet !== undefined).length
  const due = mayStart ? looked.filter(({ actionSet, next }) => actionSet === undefined && Date.parse(next) <= now) : []
  return { repositories: looked, due: due.slice(0, Math.max(0, mostAtOnce - running)), freedBytes }
}

interface Looked {
  /** Undefined: nothing is left to do. */
  readonly after: PrunedRepository | undefined
  readonly freed: number
}

function lookAt(each: PrunedRepository, actionSet: ActionSet | undefined, now: number): Looked {
  if (!actionSet && now - Date.parse(each.next) < unseenMs) return { after: each, freed: 0 }
  const { state, error } = actionSet?.status ?? {}
  if (!actionSet) return { after: failed(each, `ActionSet ${each.actionSet ?? ''} is gone`, now), freed: 0 }
  if (state === 'failed') return { after: failed(each, error?.message ?? 'no reason given', now), freed: 0 }
  if (state !== 'complete') return { after: each, freed: 0 }
  const freed = numberOf(actionSet, 'freedBytes')
  const waitingBytes = numberOf(actionSet, 'waitingBytes')
  // A snapshot that went while the prune ran may not have been seen by it.
  const isDone = waitingBytes === 0 && Date.parse(each.lost) < Date.parse(each.next)
  if (isDone) return { after: undefined, freed }
  const isFruitless = freed === 0 && waitingBytes > 0 && waitingBytes === each.waitingBytes
  const fruitless = isFruitless ? each.fruitless + 1 : 0
  const after = { ...idle(each), waitingBytes, fruitless, message: '', next: later(now, nextStepMs, fruitless) }
  return { after, freed }
}

function failed(each: PrunedRepository, why: string, now: number): PrunedRepository {
  const fruitless = each.fruitless + 1
  const message = `pruning ${each.path} failed ${fruitless === 1 ? 'once' : `${fruitless} times`}: ${why}`
  return { ...idle(each), fruitless, message: message.slice(0, 500), next: later(now, firstRetryMs, fruitless - 1) }
}

function later(now: number, firstMs: number, doublings: number): string {
  return toRfc3339(now + Math.min(longestMs, firstMs * 2 ** Math.min(doublings, 20)))
}

function idle({ actionSet: _ended, ...rest }: PrunedRepository): PrunedRepository {
  return rest
}

function numberOf({ status }: ActionSet, name: string): number {
  const texts = (status?.actions ?? []).flatMap(({ phases = [] }) => phases.map(({ output }) => output?.[name]))
  const value = Number(texts.find((text) => text !== undefined) ?? 0)
  return Number.isFinite(value) ? value : 0
}
