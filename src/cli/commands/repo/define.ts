import { Command } from 'commander'
import { backupCommand } from './backup.ts'
import { checkCommand } from './check.ts'
import { copyCommand } from './copy.ts'
import type { RepoDeps } from './deps.ts'
import { diffCommand } from './diff.ts'
import { dumpCommand } from './dump.ts'
import { findCommand } from './find.ts'
import { forgetCommand } from './forget.ts'
import { keyCommand } from './key.ts'
import { lsCommand } from './ls.ts'
import { pruneCommand } from './prune.ts'
import { restoreCommand } from './restore.ts'
import { snapshotsCommand } from './snapshots.ts'
import { statsCommand } from './stats.ts'
import { initCommand, repairCommand, tagCommand, unlockCommand } from './upkeep.ts'

const verbs = [
  initCommand,
  snapshotsCommand,
  lsCommand,
  findCommand,
  diffCommand,
  statsCommand,
  backupCommand,
  restoreCommand,
  dumpCommand,
  copyCommand,
  tagCommand,
  forgetCommand,
  pruneCommand,
  checkCommand,
  repairCommand,
  unlockCommand,
  keyCommand,
] as const

/** `holdfast repo …`: everything about one repository, ours or restic's. */
export function repoCommands(deps: RepoDeps): Command {
  const command = new Command('repo').description('Work on a repository of backups: ours, Kanister’s or restic’s.')
  for (const verb of verbs) command.addCommand(verb(deps))
  return command
}
