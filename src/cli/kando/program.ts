import { Command, CommanderError, Option } from 'commander'
import { messageOf } from '../../base/errors.ts'
import { chronicleCommand } from './chronicle.ts'
import type { KandoDeps } from './deps.ts'
import { KandoExit } from './exit.ts'
import { locationCommand } from './location.ts'
import { outputCommand } from './output.ts'
import { processCommand } from './process/define.ts'
import { refusedCommands } from './refused.ts'

/** Kanister's kando ends with this code whatever failed, and scripts compare with it. */
export const kandoFailure = 69

const levels = ['panic', 'fatal', 'error', 'warning', 'warn', 'info', 'debug', 'trace']

/** The tool that Blueprints call inside of containers, with the commands and flags of Kanister's. Gives the exit code. */
export async function runKando(words: readonly string[], deps: KandoDeps, version: string): Promise<number> {
  const program = kandoProgram(deps, version)
  try {
    await program.parseAsync(words as string[], { from: 'user' })
    return 0
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : kandoFailure
    if (error instanceof KandoExit) return endWith(error, deps)
    deps.output.err(`Error: ${messageOf(error)}\n`)
    return kandoFailure
  }
}

function endWith({ code, cause }: KandoExit, { output }: KandoDeps): number {
  if (cause !== undefined) output.err(`Error: ${messageOf(cause)}\n`)
  return code
}

function kandoProgram(deps: KandoDeps, version: string): Command {
  const program = new Command('kando')
    .description('Moves data between a container and the location of a Profile, and reports outputs of a phase.')
    .version(version, '--version')
    .addOption(new Option('-v, --verbosity <level>', 'how much is said on stderr').choices(levels).default('warning'))
    .addHelpText(
      'after',
      `\nExit codes: 0 done; ${kandoFailure} failed, the reason is on stderr; of process client execute, see there.`,
    )
  program.addCommand(locationCommand(deps))
  program.addCommand(outputCommand(deps))
  program.addCommand(chronicleCommand(deps))
  program.addCommand(processCommand(deps))
  for (const command of refusedCommands()) program.addCommand(command)
  for (const command of allCommands(program)) prepare(command, deps)
  return program
}

function prepare(command: Command, deps: KandoDeps): void {
  command.exitOverride()
  command.configureOutput({
    writeOut: (text) => deps.output.out(text),
    writeErr: (text) => deps.output.err(text),
    // Kanister's form.
    outputError: (text, write) => write(text.replace(/^error: /, 'Error: ')),
  })
}

function allCommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(allCommands)]
}
