import { Command } from 'commander'
import type { BackupDeps } from '../backup/deps.ts'
import { importCommand } from './import.ts'
import { restoreAllCommand } from './restore-all.ts'
import { takeoverCommand } from './takeover.ts'

/** `holdfast dr …`: what is done when a cluster is gone. */
export function drCommands(deps: BackupDeps): Command {
  const command = new Command('dr').description(
    'Disaster recovery: bring a catalog into a new cluster, take it over, restore everything.',
  )
  for (const verb of [importCommand, restoreAllCommand, takeoverCommand]) command.addCommand(verb(deps))
  return command
}
