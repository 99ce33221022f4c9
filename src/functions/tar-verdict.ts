import type { TarProgram } from './tar-program.ts'

/** What tar's end means for a backup. */
export interface TarVerdict {
  readonly ok: boolean
  /** For the Run: what is in the backup but not as it should be. */
  readonly warnings: readonly string[]
}

const shown = 5

/**
 * GNU tar ends with 1 when a file changed, shrank or vanished while it was read: the archive is whole, the application was just alive;
 * that is a warning. 2 means that something could not be read. BusyBox ends with 1 for everything, so its words decide: files that
 * vanished are a warning, all else is a failure.
 */
export function judgeTar(program: TarProgram, exitCode: number, stderr: readonly string[]): TarVerdict {
  const lines = stderr.map((line) => line.trim()).filter((line) => line !== '')
  const ignored = lines.filter((line) => /socket ignored/.test(line))
  const rest = lines.filter((line) => !harmless.test(line) && !ignored.includes(line))
  if (exitCode === 0) return { ok: true, warnings: summary('tar left out', ignored).concat(summary('tar said', rest)) }
  const alive = program.kind === 'busybox' ? vanishedOnly(rest) : exitCode === 1 && program.kind === 'gnu'
  return { ok: alive, warnings: alive ? summary('files changed while they were read', rest) : [] }
}

/** Said on every backup by design, or a mere echo of what was said before. */
const harmless = /Removing leading|error exit delayed from previous errors|Exiting with failure status/

function vanishedOnly(lines: readonly string[]): boolean {
  return lines.length > 0 && lines.every((line) => line.endsWith('No such file or directory'))
}

function summary(what: string, lines: readonly string[]): string[] {
  if (lines.length === 0) return []
  const more = lines.length > shown ? ` (and ${lines.length - shown} more)` : ''
  return [`${what}: ${lines.slice(0, shown).join('; ')}${more}`]
}
