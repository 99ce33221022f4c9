import { Command } from 'commander'
import { cliError } from '../errors.ts'

/** Commands of Kanister's kando that make no sense here, with what to use instead. */
const refused: ReadonlyArray<readonly [name: string, instead: string]> = [
  [
    'stream',
    'it writes into a Kopia repository, which Holdfast does not keep; use: curl -fsS URL | kando location push - --profile … --path …, or the function BackupStream',
  ],
]

export function refusedCommands(): Command[] {
  return refused.map(([name, instead]) =>
    new Command(name)
      .description(`Not here: ${instead}.`)
      .argument('[words...]')
      .allowUnknownOption()
      .action(() => {
        throw cliError('CLI_USAGE', `kando ${name} is not supported: ${instead}`)
      }),
  )
}
