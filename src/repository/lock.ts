import { randomBytes } from 'node:crypto'
import { HoldfastError, messageOf } from '../base/errors.ts'
import { withCleanupSignal } from '../base/deadline.ts'
import type { RepositoryContext } from './context.ts'
import { repositoryError } from './errors.ts'
import { nanosFromMs } from './format/go-time.ts'
import { type Id, shortId } from './format/ids.ts'
import { type LockFile, holderOf, parseLock, renderLock } from './format/lock-file.ts'

const refreshMs = 5 * 60_000
const loseAfterMs = 22 * 60_000
const staleAfterMs = 30 * 60_000
/** Between writing the own lock and looking again: a store may show another's a moment late. */
const settleMs = 200
const lookAgainMs = 3_000

export interface LockOptions {
  readonly exclusive: boolean
  /** With `exclusive`: stands only against those who do not know of marks, and against others that sweep. @default false */
  readonly sweeping?: boolean
  /** For a shared lock: sweeps keep away too, as from strangers. @default false */
  readonly withoutSweeps?: boolean
  readonly signal?: AbortSignal
  /** How long to wait for locks of others that are in the way. @default the context's */
  readonly waitMs?: number
  /** A reader goes on where the store does not let it write a lock. */
  readonly readOnly?: boolean
  /** Called with each id that the lock has in the course of time, so that whoever takes the work over can remove it. If it fails, the lock is not taken. */
  readonly onLock?: (id: Id) => void | Promise<void>
  readonly onWarning?: (warning: string) => void
}

/** A lock that is held. `signal` is aborted when it could not be refreshed in time, or by the caller's signal. */
export interface RepositoryLock {
  readonly signal: AbortSignal
  /** As `holderOf` names it. */
  readonly holder: string
  /** REPOSITORY_LOCK_LOST when somebody removed it: to be asked before what cannot be undone. */
  assertHeld(signal: AbortSignal): Promise<void>
  release(): Promise<void>
}

/** Runs `work` under a lock that is refreshed meanwhile and removed afterwards. */
export async function withLock<T>(
  context: RepositoryContext,
  options: LockOptions,
  work: (signal: AbortSignal, lock: RepositoryLock) => Promise<T>,
): Promise<T> {
  const lock = await acquireLock(context, options)
  try {
    return await work(lock.signal, lock)
  } catch (error) {
    // Work that ends by the lock's signal should say why.
    if (lock.signal.aborted && !options.signal?.aborted) throw lock.signal.reason
    throw error
  } finally {
    await lock.release()
  }
}

/** REPOSITORY_LOCKED when others were in the way for all of the time that it may wait. */
export async function acquireLock(context: RepositoryContext, options: LockOptions): Promise<RepositoryLock> {
  const { clock } = context
  const until = clock.now() + (options.waitMs ?? context.lockWaitMs)
  for (let tries = 0; ; tries++) {
    try {
      return await tryLock(context, options)
    } catch (error) {
      const leftMs = until - clock.now()
      if (!repositoryError.is(error, 'REPOSITORY_LOCKED') || leftMs <= 0) throw error
      if (tries === 0) options.onWarning?.(`waiting for the repository: ${messageOf(error)}`)
      // Two that were in each other's way should not meet again.
      await clock.sleep(Math.min(leftMs, lookAgainMs * (0.5 + Math.random())), options.signal)
    }
  }
}

async function tryLock(context: RepositoryContext, options: LockOptions): Promise<RepositoryLock> {
  const { signal, onWarning = () => undefined } = options
  await assertFree(context, options, undefined)
  const holder = randomBytes(8).toString('hex')
  let id: Id
  try {
    id = await writeLock(context, options, holder)
  } catch (error) {
    if (!options.readOnly || !(error instanceof HoldfastError) || error.code !== 'STORE_DENIED') throw error
    onWarning(`no lock was written, since the store denies it: ${messageOf(error)}`)
    const nothing = async (): Promise<void> => undefined
    return { signal: signal ?? new AbortController().signal, holder, assertHeld: nothing, release: nothing }
  }
  try {
    await context.clock.sleep(settleMs, signal)
    await assertFree(context, options, id)
  } catch (error) {
    await removeQuietly(context, id, onWarning)
    throw error
  }
  return keepLock(context, options, { id, holder })
}

/** Who holds a lock now, but for those that are dead. Asked twice, as a refresh puts one file in the place of another while we list. */
export async function presentHolders(context: RepositoryContext, signal: AbortSignal): Promise<Set<string>> {
  const holders = new Set<string>()
  for (const look of [1, 2]) {
    for (const { id, sizeBytes } of await context.files.list('locks', signal)) {
      if (sizeBytes === 0) continue
      const lock = await loadLock(context, id, signal)
      if (lock === 'unreadable') holders.add(`lock ${id}`)
      else if (lock !== 'gone' && !isStale(context, lock)) holders.add(holderOf(lock))
    }
    if (look === 1) await context.clock.sleep(settleMs, signal)
  }
  return holders
}

/** Removes locks that count no longer, as `restic unlock` does; with `all`, those of the living too. Gives how many. */
export async function unlock(context: RepositoryContext, { all = false, signal }: UnlockOptions = {}): Promise<number> {
  let removed = 0
  for (const { id } of await context.files.list('locks', signal)) {
    const lock = all ? 'gone' : await loadLock(context, id, signal)
    if (!all && (lock === 'gone' || lock === 'unreadable' || !isStale(context, lock))) continue
    await context.files.remove('locks', id, signal)
    removed++
  }
  return removed
}

export interface UnlockOptions {
  readonly all?: boolean
  readonly signal?: AbortSignal
}

/** Removes a lock left by a run that ended without doing so. */
export async function removeLock(context: RepositoryContext, id: Id, signal?: AbortSignal): Promise<void> {
  await context.files.remove('locks', id, signal)
}

function keepLock(
  context: RepositoryContext,
  options: LockOptions,
  { id: first, holder }: { readonly id: Id; readonly holder: string },
): RepositoryLock {
  const { clock } = context
  const { onWarning = () => undefined } = options
  const lost = new AbortController()
  const ended = new AbortController()
  let id = first
  let refreshed = clock.now()

  async function refreshOnce(): Promise<void> {
    // A process that slept may find its lock removed as stale, and what it built upon as well.
    if (clock.now() - refreshed > staleAfterMs) return lost.abort(lostError('was not refreshed for 30 minutes'))
    try {
      const next = await writeLock(context, { ...options, signal: ended.signal }, holder)
      const old = id
      id = next
      refreshed = clock.now()
      await removeQuietly(context, old, onWarning)
    } catch (error) {
      if (ended.signal.aborted) return
      onWarning(`the lock could not be refreshed: ${messageOf(error)}`)
      if (clock.now() - refreshed > loseAfterMs) {
        lost.abort(lostError('could not be refreshed for 22 minutes', error))
      }
    }
  }

  function lostError(fact: string, cause?: unknown): Error {
    const text = `lock ${shortId(id)} ${fact}, so others may take it for dead`
    return repositoryError('REPOSITORY_LOCK_LOST', text, { cause })
  }

  async function assertHeld(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const before = id
    const present = (await context.files.list('locks', signal)).map((lock) => lock.id)
    // A refresh in between writes the next one before it removes this one.
    if (present.includes(before) || present.includes(id)) return
    throw repositoryError('REPOSITORY_LOCK_LOST', `lock ${shortId(id)} was removed by somebody, so others may be at work`)
  }

  async function run(): Promise<void> {
    for (let wait = refreshMs; !lost.signal.aborted; wait = refreshed + refreshMs > clock.now() ? refreshMs : 60_000) {
      await clock.sleep(wait, ended.signal)
      await refreshOnce()
    }
  }

  // Ends by `ended`, whose abort is how a sleep is broken off.
  const running = run().catch(() => undefined)
  return {
    signal: options.signal ? AbortSignal.any([options.signal, lost.signal]) : lost.signal,
    holder,
    assertHeld,
    release: async () => {
      ended.abort(new Error('released'))
      await running
      await removeQuietly(context, id, onWarning)
    },
  }
}

async function writeLock(context: RepositoryContext, options: LockOptions, holder: string): Promise<Id> {
  const { hostname, username, pid } = context.identity
  const time = nanosFromMs(context.clock.now())
  const own = options.withoutSweeps ? undefined : { holder, sweeping: options.sweeping ?? false }
  const id = await context.files.save(
    'locks',
    renderLock({ time, exclusive: options.exclusive, hostname, username, pid, own }),
    options.signal,
  )
  try {
    await options.onLock?.(id)
    return id
  } catch (error) {
    await removeQuietly(context, id, options.onWarning ?? (() => undefined))
    throw error
  }
}

/** A bucket that denies delete must not fail a backup: the lock gets stale by itself. */
async function removeQuietly(context: RepositoryContext, id: Id, onWarning: (warning: string) => void): Promise<void> {
  try {
    await withCleanupSignal(`removing lock ${shortId(id)}`, 30_000, (signal) => context.files.remove('locks', id, signal))
  } catch (error) {
    onWarning(`lock ${shortId(id)} could not be removed and counts for 30 minutes: ${messageOf(error)}`)
  }
}

/** Throws REPOSITORY_LOCKED if a lock of another stands against this one. Removes stale ones on the way. */
async function assertFree(context: RepositoryContext, options: LockOptions, own: Id | undefined): Promise<void> {
  for (const { id, sizeBytes } of await context.files.list('locks', options.signal)) {
    if (id === own || sizeBytes === 0) continue
    const lock = await loadLock(context, id, options.signal)
    if (lock === 'gone') continue
    if (lock !== 'unreadable' && isStale(context, lock)) await removeQuietly(context, id, () => undefined)
    else if (lock === 'unreadable' || isInTheWay(lock, options)) throw locked(id, lock)
  }
}

/** A sweep and those who know of marks go on beside each other; everybody else is alone or not, as in restic. */
function isInTheWay(lock: LockFile, { exclusive, sweeping = false, withoutSweeps = false }: LockOptions): boolean {
  if (lock.own?.sweeping) return exclusive || withoutSweeps
  return lock.exclusive || (exclusive && !(sweeping && lock.own))
}

async function loadLock(
  context: RepositoryContext,
  id: Id,
  signal: AbortSignal | undefined,
): Promise<LockFile | 'gone' | 'unreadable'> {
  try {
    return parseLock(await context.files.load('locks', id, signal)) ?? 'unreadable'
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error
    if (error.code === 'STORE_NOT_FOUND') return 'gone'
    if (repositoryError.is(error)) return 'unreadable'
    throw error
  }
}

function isStale({ clock, identity }: RepositoryContext, lock: LockFile): boolean {
  const ageMs = clock.now() - Number(lock.time / 1_000_000n)
  return ageMs > staleAfterMs || (lock.hostname === identity.hostname && !identity.isAlive(lock.pid))
}

function locked(id: Id, lock: LockFile | 'unreadable'): Error {
  const who =
    lock === 'unreadable'
      ? 'and cannot be read'
      : `${lock.exclusive ? 'exclusively ' : ''}held by process ${lock.pid} of ${lock.username} on ${lock.hostname}`
  return repositoryError(
    'REPOSITORY_LOCKED',
    `lock ${shortId(id)} is in the way, ${who}; wait for its end, or remove it with "restic unlock" if nobody works there`,
    { details: { lock: id } },
  )
}
