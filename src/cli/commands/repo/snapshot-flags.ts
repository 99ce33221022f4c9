import { type Command } from 'commander'
import type { Snapshot, SnapshotFilter, SnapshotQuery } from '../../../repository/snapshots.ts'
import { cliError } from '../../errors.ts'

export interface FilterFlags {
  readonly host: readonly string[]
  readonly tag: readonly string[]
  readonly snapshotPath: readonly string[]
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

/** Which snapshots are meant, in restic's words. */
export function withFilter(command: Command): Command {
  return command
    .option('-H, --host <name>', 'only snapshots of this host; may be given several times', collect, [])
    .option('--tag <tag[,tag]>', 'only snapshots with all of these tags; several times: with any of the lists', collect, [])
    .option('--snapshot-path <path>', 'only snapshots of this path; several times: of all of them', collect, [])
}

export function filterOf({ host, tag, snapshotPath }: FilterFlags): SnapshotFilter {
  return { hosts: host, tags: tag.map((list) => list.split(',').filter((name) => name !== '')), paths: snapshotPath }
}

/** `latest`, of those meant, or an id. */
export function queryOf(name: string, flags: FilterFlags): SnapshotQuery {
  return name === 'latest' ? { latest: true, filter: filterOf(flags) } : { id: name }
}

/** A snapshot for programs: times as RFC 3339. */
export function snapshotJson(snapshot: Snapshot): Readonly<Record<string, unknown>> {
  const { id, time, tree, paths, hostname, username, tags, parent, original, programVersion, summary } = snapshot
  const { backupStart, backupEnd, ...counts } = summary ?? {}
  return {
    id,
    shortId: id.slice(0, 8),
    time: timeText(time),
    hostname,
    username,
    tags,
    paths,
    tree,
    parent,
    original,
    programVersion,
    ...(summary && {
      summary: {
        ...(backupStart !== undefined && { backupStart: timeText(backupStart) }),
        ...(backupEnd !== undefined && { backupEnd: timeText(backupEnd) }),
        ...counts,
      },
    }),
  }
}

export function timeText(nanos: bigint): string {
  return new Date(Number(nanos / 1_000_000n)).toISOString()
}

/** `2026-01-31`, `2026-01-31T12:00:00Z`. */
export function parseWhen(text: string): number {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw cliError('CLI_USAGE', `"${text}" is no time; write 2026-01-31 or 2026-01-31T12:00:00Z`)
  return ms
}

/** A whole number. What is none would be worse than an error: `--keep-last -1` would keep nothing. */
export function parseCount(least: number): (text: string) => number {
  return (text) => {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : -1
    if (count < least) throw cliError('CLI_USAGE', `"${text}" is no count: write a whole number from ${least} on`)
    return count
  }
}

/** `5`, `2.5`, `5%`. */
export function parsePercent(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)%?$/.exec(text)?.[1]
  if (percent === undefined) throw cliError('CLI_USAGE', `"${text}" is no percentage: write 5 or 2.5`)
  return Number(percent)
}

/** `90s`, `30m`, `2h`, `7d`. */
export function parseDuration(text: string): number {
  const match = /^(\d+)(s|m|h|d)$/.exec(text)
  const unit = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match?.[2] ?? '']
  if (unit === undefined) throw cliError('CLI_USAGE', `"${text}" is no duration; write 90s, 30m, 2h or 7d`)
  return Number(match?.[1]) * unit
}
