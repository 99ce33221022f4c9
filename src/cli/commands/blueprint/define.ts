import { Command, Option } from 'commander'
import type { ConnectionFlags } from '../../kanctl/create-actionset/define.ts'
import type { BlueprintDeps } from './deps.ts'
import type { RenderDeps, RenderFlags } from './render.ts'

const lintHelp = `
Exit codes: 0 no errors, warnings or none; 1 errors; 2 wrong flags.

Examples:
  holdfast blueprint lint blueprint.yaml
  cat blueprint.yaml | holdfast blueprint lint -o json -`

const renderHelp = `
Nothing is written or run. Secrets are masked; outputs that are not known yet stand as <output KEY of phase NAME>.
Exit codes: 0 all phases can be rendered; 1 one cannot; 2 wrong flags.

Examples:
  holdfast blueprint render blueprint.yaml --action backup --object StatefulSet/shop/db --profile holdfast/bucket
  holdfast blueprint render blueprint.yaml --action restore --from backup-x7k2q -n holdfast`

/** `blueprint lint` and `blueprint render`; what they need is loaded when it is asked for, a cluster is opened by `render` only. */
export function blueprintCommand(deps: BlueprintDeps, open: (flags: ConnectionFlags) => Promise<RenderDeps>): Command {
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
  command.addCommand(renderCommand(deps, open))
  return command
}

function renderCommand(deps: BlueprintDeps, open: (flags: ConnectionFlags) => Promise<RenderDeps>): Command {
  const list = (value: string, before: readonly string[] = []): readonly string[] => [...before, ...value.split(',')]
  return new Command('render')
    .description('Show what each phase of an action would get, from live objects.')
    .argument('<file>', 'YAML or JSON file; - is stdin')
    .option('-a, --action <name>', 'action of the Blueprint; with --from that of the parent when absent')
    .option('--object <KIND/NAMESPACE/NAME>', 'object to act on; with --from that of the parent when absent')
    .option('-f, --from <actionset>', 'finished ActionSet whose artifacts and settings are taken over')
    .option('-p, --profile <[namespace/]name>', 'Profile')
    .option('--options <key=value>', 'options', list, [])
    .option('-s, --secrets <ref=namespace/name>', 'Secrets for the Blueprint', list, [])
    .option('-c, --config-maps <ref=namespace/name>', 'ConfigMaps for the Blueprint', list, [])
    .option('-n, --namespace <name>', 'namespace of the ActionSet and the Profile; that of the context when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .addOption(new Option('-o, --output <format>', 'yaml or json').choices(['yaml', 'json']).default('yaml'))
    .addHelpText('after', renderHelp)
    .action(async (file: string, flags: RenderFlags & ConnectionFlags) => {
      const { renderBlueprint } = await import('./render.ts')
      deps.finish(await renderBlueprint(file, flags, await open(flags)))
    })
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
