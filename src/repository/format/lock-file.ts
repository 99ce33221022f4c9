import { goJson } from '../../base/go-json.ts'
import { type Nanos, parseTime, renderTime } from './go-time.ts'

/** Who works on a repository, and whether beside others or alone. */
export interface LockFile {
  readonly time: Nanos
  readonly exclusive: boolean
  readonly hostname: string
  readonly username: string
  readonly pid: number
  /** Ours alone; restic passes it over. */
  readonly own?: OwnLock | undefined
}

/** What locks of ours say besides. */
export interface OwnLock {
  /** Stays the same while the lock is refreshed: a refreshed lock has another id and another time. */
  readonly holder: string
  /** Set on the lock of a prune in steps: exclusive for everybody who does not know of marks, shared for those who do (FORMAT.md 9). */
  readonly sweeping: boolean
}

export function renderLock({ time, exclusive, hostname, username, pid, own }: LockFile): Buffer {
  const holdfast = own && { holder: own.holder, sweeping: own.sweeping || undefined }
  return Buffer.from(goJson({ time: renderTime(time), exclusive, hostname, username, pid, holdfast }))
}

/** Undefined for text that is no lock: whoever asks must then assume the worst. */
export function parseLock(json: Uint8Array): LockFile | undefined {
  try {
    // Checked field by field below.
    const value = JSON.parse(Buffer.from(json).toString()) as Partial<
      Record<'time' | 'exclusive' | 'hostname' | 'username' | 'pid' | 'holdfast', unknown>
    >
    const time = typeof value.time === 'string' ? parseTime(value.time) : undefined
    if (time === undefined) return undefined
    return {
      time,
      exclusive: value.exclusive === true,
      hostname: typeof value.hostname === 'string' ? value.hostname : '',
      username: typeof value.username === 'string' ? value.username : '',
      pid: typeof value.pid === 'number' ? value.pid : 0,
      own: parseOwn(value.holdfast),
    }
  } catch {
    return undefined
  }
}

function parseOwn(value: unknown): OwnLock | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { holder, sweeping } = value as { readonly holder?: unknown; readonly sweeping?: unknown }
  return typeof holder === 'string' && holder !== '' ? { holder, sweeping: sweeping === true } : undefined
}

/** Who holds a lock, the same through its refreshes. Of a process that is not ours, all its locks are one holder. */
export function holderOf({ own, hostname, username, pid }: LockFile): string {
  return own ? own.holder : `${username}@${hostname}/${pid}`
}
