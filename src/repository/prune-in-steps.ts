import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { nanosFromMs } from './format/go-time.ts'
import type { Id } from './format/ids.ts'
import { LoadedIndex } from './loaded-index.ts'
import { type LockOptions, presentHolders, withLock } from './lock.ts'
import { type Mark, loadMarks, saveMark } from './marks.ts'
import { type PruneOptions, moveNeeded, warnLocked } from './prune.ts'
import { survey } from './prune-survey.ts'
import { type SweepResult, nothingSwept, sweep } from './sweep.ts'

/** Keeps others from pruning the same repository meanwhile, such as a Lease of the cluster; `work` gets a signal that ends when it is lost. */
export type PruneLease = <T>(work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<T>

export interface PruneInStepsOptions extends PruneOptions {
  /**
   * How long packs stay after they were marked. At least as long as a lock counts that nobody refreshes (30 minutes), and as much again for clocks
   * that differ and for processes that slept.
   * @default 1 h
   */
  readonly graceMs?: number
  /** @default the lock of the repository, which keeps strangers (restic) waiting for longer */
  readonly lease?: PruneLease
}

export interface PruneInStepsResult {
  /** What earlier runs had marked and this one removed. */
  readonly swept: SweepResult
  /** What is marked now and was not removed yet, the packs of this run among them. */
  readonly waiting: { readonly packs: number; readonly bytes: number }
  /** New packs, for what is needed out of packs that will go. */
  readonly packsWritten: number
  /** Unneeded bytes that stay. */
  readonly bytesUnused: number
}

const defaultGraceMs = 60 * 60_000

/**
 * Prune beside running backups, in two steps of which each run does both: it removes what an earlier run marked, and marks what is unneeded now.
 *
 * 1. _Mark_, beside others. What is needed out of half-empty packs is copied first. From the moment the mark can be seen, our backups build upon nothing
 *    in marked packs, and our readers prefer other copies; nothing is removed, so restic sees a sound repository. Then the holders of locks are
 *    noted: they may have read the index before.
 * 2. _Sweep_, when the grace has passed, those holders are gone, and nobody is at work who does not know of marks: its lock is exclusive for restic and shared
 *    for us. What is needed is found anew; a marked pack that something came to need (restic, or a backup from before the mark) stays. Index files
 *    without the packs are written, the old ones removed, then the packs, then the mark.
 */
export async function pruneInSteps(shared: RepositoryContext, options: PruneInStepsOptions = {}): Promise<PruneInStepsResult> {
  const { signal = new AbortController().signal, lease } = options
  // Marks of what is used hold for an index that nobody adds to.
  const context = { ...shared, index: new LoadedIndex(shared.files) }
  const run = (leased: AbortSignal): Promise<PruneInStepsResult> => bothSteps(context, { ...options, signal: leased })
  return lease ? lease(run, signal) : run(signal)
}

type Steps = PruneInStepsOptions & { readonly signal: AbortSignal }

async function bothSteps(context: RepositoryContext, options: Steps): Promise<PruneInStepsResult> {
  options.onProgress?.({ step: 'finding', packs: 0 })
  const swept = await sweepDue(context, options)
  const marked = await withLock(context, lockFor(options), (locked, lock) =>
    markUnneeded(context, { ...options, signal: locked }, lock.holder),
  )
  return { swept, ...marked }
}

function lockFor({ lease, signal, onLock, onWarning, lockWaitMs }: Steps): LockOptions {
  return {
    exclusive: lease === undefined,
    sweeping: lease === undefined,
    signal,
    ...(onLock && { onLock }),
    ...(onWarning && { onWarning }),
    ...(lockWaitMs !== undefined && { waitMs: lockWaitMs }),
  }
}

async function sweepDue(context: RepositoryContext, options: Steps): Promise<SweepResult> {
  const { signal, graceMs = defaultGraceMs } = options
  const marks = await loadMarks(context.files, signal)
  const before = nanosFromMs(context.clock.now() - graceMs)
  if (!marks.some((mark) => mark.time <= before && mark.holders)) return nothingSwept
  try {
    return await withLock(context, { ...lockFor(options), exclusive: true, sweeping: true }, async (locked, lock) => {
      const present = await presentHolders(context, locked)
      const due = marks.filter((mark) => mark.time <= before && mark.holders?.every((holder) => !present.has(holder)))
      if (due.length === 0) return nothingSwept
      const { onProgress, onWarning } = options
      return sweep(context, due, { lock, signal: locked, onProgress, onWarning })
    })
  } catch (error) {
    if (!repositoryError.is(error, 'REPOSITORY_LOCKED')) throw error
    options.onWarning?.(`what was marked earlier is not removed yet: ${error.message}`)
    return nothingSwept
  }
}

type Marked = Omit<PruneInStepsResult, 'swept'>

async function markUnneeded(context: RepositoryContext, options: Steps, ownHolder: string): Promise<Marked> {
  const { signal, maxUnusedPercent = 5 } = options
  const found = await survey(context, maxUnusedPercent, signal)
  warnLocked(found, options.onWarning)
  const written = await moveNeeded(context, found, { relist: false, signal, onProgress: options.onProgress })
  const packs = [...found.plan.drop, ...found.plan.rewrite, ...found.orphans].filter((id) => found.stored.has(id))
  signal.throwIfAborted()
  if (packs.length > 0) await saveMark(context.files, { time: nanosFromMs(context.clock.now()), packs }, signal)
  const marks = await completeMarks(context, ownHolder, signal)
  return {
    waiting: sizeOf(marks, found.stored),
    packsWritten: written.packs,
    bytesUnused: found.plan.unusedBytesLeft,
  }
}

/** Notes the holders of every mark that lacks them, also of one whose maker died: whoever holds a lock later may be asked to go first as well. */
async function completeMarks(context: RepositoryContext, ownHolder: string, signal: AbortSignal): Promise<readonly Mark[]> {
  const marks = await loadMarks(context.files, signal)
  const incomplete = marks.filter((mark) => !mark.holders)
  if (incomplete.length === 0) return marks
  const present = await presentHolders(context, signal)
  present.delete(ownHolder)
  for (const { id } of incomplete) await saveMark(context.files, { of: id, holders: [...present] }, signal)
  return marks
}

function sizeOf(marks: readonly Mark[], stored: ReadonlyMap<Id, number>): { readonly packs: number; readonly bytes: number } {
  const packs = new Set(marks.flatMap((mark) => mark.packs).filter((id) => stored.has(id)))
  return { packs: packs.size, bytes: [...packs].reduce((sum, id) => sum + (stored.get(id) ?? 0), 0) }
}
