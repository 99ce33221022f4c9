import { Command, Option } from 'commander'
import type { BlueprintDeps } from './deps.ts'

const lintHelp = `
Exit codes: 0 no errors, warnings or none; 1 errors; 2 wrong flags.

Examples:
  holdfast blueprint lint blueprint.yaml
  cat blueprint.yaml | holdfast blueprint lint -o json -`

/** `blueprint lint`; what it needs is loaded when it is asked for. */
export function blueprintCommand(deps: BlueprintDeps): Command {
  const command = new Command('blueprint').description('Work on Blueprints before they are used.')
  command
    .command('lint')
    .description('Find the mistakes of Blueprints without running them. Needs no cluster.')
    .argument('<files...>', 'YAML or JSON files; - is stdin')
    .addOption(new Option('-o, --output <format>', 'text for people or json').choices(['text', 'json']).default('text'))
    .addHelpText('after', lintHelp)
    .action(async (files: string[], flags: { output: 'text' | 'json' }) => {
      const { lintFiles } = await import('./lint.ts')
      deps.finish(await lintFiles(files, flags.output, deps))
    })
  return command
}

/** `validate blueprint -f FILE`, as kanctl has it. */
export function validateCommand(deps: BlueprintDeps): Command {
  const command = new Command('validate').description('Validate resources.')
  command
    .command('blueprint')
    .description('Validate a Blueprint from a file. Needs no cluster.')
    .requiredOption('-f, --filename <file>', 'YAML or JSON file; - is stdin')
    .option('-v, --functionVersion <version>', 'version of the functions; there is one only', 'v0.0.0')
    .addHelpText('after', '\nExit codes: 0 all checks passed; 1 one failed; 2 wrong flags.')
    .action(async (flags: { filename: string }) => {
      const { validateBlueprint } = await import('./validate.ts')
      deps.finish(await validateBlueprint(flags.filename, deps))
    })
  return command
}
