import { goJson } from '../../base/go-json.ts'
import { type Nanos, parseTime, renderTime } from './go-time.ts'

/** Who works on a repository, and whether beside others or alone. */
export interface LockFile {
  readonly time: Nanos
  readonly exclusive: boolean
  readonly hostname: string
  readonly username: string
  readonly pid: number
}

export function renderLock({ time, exclusive, hostname, username, pid }: LockFile): Buffer {
  return Buffer.from(goJson({ time: renderTime(time), exclusive, hostname, username, pid }))
}

/** Undefined for text that is no lock: whoever asks must then assume the worst. */
export function parseLock(json: Uint8Array): LockFile | undefined {
  try {
    // Checked field by field below.
    const value = JSON.parse(Buffer.from(json).toString()) as Partial<
      Record<'time' | 'exclusive' | 'hostname' | 'username' | 'pid', unknown>
    >
    const time = typeof value.time === 'string' ? parseTime(value.time) : undefined
    if (time === undefined) return undefined
    return {
      time,
      exclusive: value.exclusive === true,
      hostname: typeof value.hostname === 'string' ? value.hostname : '',
      username: typeof value.username === 'string' ? value.username : '',
      pid: typeof value.pid === 'number' ? value.pid : 0,
    }
  } catch {
    return undefined
  }
}
