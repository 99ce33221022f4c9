import { Command } from 'commander'
import type { BackupDeps } from './deps.ts'
import { downloadCommand } from './download.ts'
import { listCommand } from './list.ts'
import { pinCommand, unpinCommand } from './pin.ts'
import { proveCommand } from './prove.ts'
import { restoreCommand } from './restore.ts'
import { showCommand } from './show.ts'
import { verifyCommand } from './verify.ts'

const verbs = [
  listCommand,
  showCommand,
  verifyCommand,
  proveCommand,
  downloadCommand,
  restoreCommand,
  pinCommand,
  unpinCommand,
] as const

/** `holdfast backup …`: what there is, whether it is sound, and how it comes back. */
export function backupCommands(deps: BackupDeps): Command {
  const command = new Command('backup').description(
    'Backups: list, verify, prove, download and restore them, with or without a cluster.',
  )
  for (const verb of verbs) command.addCommand(verb(deps))
  return command
}
