import type { Command } from 'commander'
import { repoCommands } from '../cli/commands/repo/define.ts'
import { repoAccess } from './repo-access.ts'

/** `holdfast repo …`. */
export function repoProgram(ways: Parameters<typeof repoAccess>[0]): Command {
  return repoCommands(repoAccess(ways))
}
