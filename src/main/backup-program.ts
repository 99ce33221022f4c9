import type { Command } from 'commander'
import { backupCommands } from '../cli/commands/backup/define.ts'
import { catalogCommands } from '../cli/commands/catalog/define.ts'
import { drCommands } from '../cli/commands/dr/define.ts'
import { backupAccess } from './backup-access.ts'

/** `holdfast backup …`, `holdfast catalog …` and `holdfast dr …`. */
export function backupPrograms(ways: Parameters<typeof backupAccess>[0]): Command[] {
  const access = backupAccess(ways)
  return [backupCommands(access), catalogCommands(access), drCommands(access)]
}
