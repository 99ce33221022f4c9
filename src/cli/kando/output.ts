import { Command } from 'commander'
import { renderPhaseOutput } from '../../api/phase-output.ts'
import { cliError } from '../errors.ts'
import type { KandoDeps } from './deps.ts'

/** `kando output <key> <value>`: prints the line from which the engine takes an output of the phase. */
export function outputCommand({ output }: KandoDeps): Command {
  return new Command('output')
    .description('Report an output of the phase: prints it as a line that the engine recognises.')
    .usage('<key> <value>')
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: string[]) => {
      const [key = '', value = ''] = words
      if (words.length !== 2) throw usage(`Command accepts 2 arguments, received ${words.length} arguments`)
      checkOutputKey(key)
      output.out(`${renderPhaseOutput({ key, value })}\n`)
    })
}

/** Throws Kanister's words for a key that it takes not. */
export function checkOutputKey(key: string): void {
  if (key === '') throw usage('Key should not be empty')
  if (!/^[a-zA-Z0-9_]+$/.test(key)) throw usage('Key should contain only alphanumeric characters and underscore')
}

function usage(text: string): unknown {
  return cliError('CLI_USAGE', `${text}; use: kando output <key> <value>`)
}
