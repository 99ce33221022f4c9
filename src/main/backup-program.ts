import type { Command } from 'commander'
import { backupCommands } from '../cli/commands/backup/define.ts'
import { backupAccess } from './backup-access.ts'

/** `holdfast backup …`. */
export function backupPrograms(ways: Parameters<typeof backupAccess>[0]): Command[] {
  const access = backupAccess(ways)
  return [backupCommands(access)]
}
