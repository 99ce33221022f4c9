import { readFileSync } from 'node:fs'

/**
 * A process that the harness started. The pid alone may be given to another process later; pid and start time
 * together name one process until the machine restarts.
 */
export interface ProcessRecord {
  readonly pid: number
  /** Clock ticks between boot and start, field 22 of /proc/PID/stat. */
  readonly startTicks: number
}

/** The record that a process left of itself: its /proc/self/stat line, as `machine/launch.sh` writes it. */
export function findRecord(file: string): ProcessRecord | undefined {
  const stat = readStat(file)
  return stat && { pid: stat.pid, startTicks: stat.startTicks }
}

export function isAlive(record: ProcessRecord | undefined): record is ProcessRecord {
  if (!record) return false
  const stat = readStat(`/proc/${record.pid}/stat`)
  return stat !== undefined && stat.startTicks === record.startTicks && !hasEnded(stat)
}

/** Sends a signal to that very process; false when it is gone. */
export function signalProcess(record: ProcessRecord | undefined, signal: NodeJS.Signals): boolean {
  if (!isAlive(record)) return false
  try {
    return process.kill(record.pid, signal)
  } catch {
    return false
  }
}

/** Changes with each start of the machine; pids of an earlier boot mean nothing. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

interface Stat extends ProcessRecord {
  readonly state: string
  readonly threads: number
}

/** A zombie only waits for its parent to look. But a zombie with threads is a first thread that ended before the others. */
function hasEnded(stat: Stat): boolean {
  return 'ZX'.includes(stat.state) && stat.threads <= 1
}

function readStat(file: string): Stat | undefined {
  let line: string
  try {
    line = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  // The second field is the program's name in parentheses and may hold anything; the rest follows the last `)`.
  const rest = line.slice(line.lastIndexOf(')') + 2).split(' ')
  const pid = Number.parseInt(line, 10)
  const startTicks = Number(rest[19])
  if (!Number.isInteger(pid) || !Number.isInteger(startTicks)) return undefined
  return { pid, startTicks, state: rest[0] ?? '', threads: Number(rest[17]) }
}
