import { Command, Option } from 'commander'
import { type CreateActionSetDeps, createActionSet } from './command.ts'
import { createActionSetFlagRows, type CreateActionSetFlags } from './flags.ts'
import { parseDuration } from './parse.ts'

const help = `
Exit codes: 0 created (and complete, with --wait); 1 refused; 2 wrong flags; 3 the ActionSet failed; 4 the time to wait was over; 75 try again.

Examples:
  kubectl create actionset -n holdfast -a backup -b postgresql -t app/db -p holdfast/bucket --wait
  kubectl create actionset -n holdfast -a restore --from backup-x7k2q --wait`

/** `create actionset` as a command of the parser; `open` connects only when the flags were understood. */
export function createActionSetCommand(name: string, open: (flags: ConnectionFlags) => Promise<CreateActionSetDeps>): Command {
  const command = new Command(name)
    .description('Create an ActionSet: run an action of a Blueprint on objects of the cluster.')
    .option('-n, --namespace <name>', 'namespace of the ActionSet; that of the context when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .addHelpText('after', help)
  for (const row of createActionSetFlagRows) command.addOption(optionOf(row))
  return command.action(async (raw: RawFlags) => {
    const flags = flagsOf(raw)
    await createActionSet(flags, await open(raw))
  })
}

/** How to reach the cluster. */
export interface ConnectionFlags {
  readonly namespace?: string
  readonly context?: string
  readonly kubeconfig?: string
}

type RawFlags = ConnectionFlags & Readonly<Record<string, string | string[] | boolean | undefined>>

function optionOf(row: (typeof createActionSetFlagRows)[number]): Option {
  const option = new Option(row.flags, row.description)
  if (row.list) option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), ...value.split(',')])
  if (row.fallback !== undefined) option.default(row.fallback)
  return option
}

function flagsOf(raw: RawFlags): CreateActionSetFlags {
  const list = (name: string): string[] => (raw[name] as string[] | undefined) ?? []
  const word = (name: string): string => (raw[name] as string | undefined) ?? ''
  const maybe = (name: string): Record<string, string> => (raw[name] === undefined ? {} : { [name]: raw[name] as string })
  return {
    ...maybe('from'),
    ...maybe('action'),
    ...maybe('name'),
    ...maybe('blueprint'),
    ...maybe('profile'),
    ...maybe('selector'),
    configMaps: list('configMaps'),
    secrets: list('secrets'),
    deployment: list('deployment'),
    statefulset: list('statefulset'),
    deploymentconfig: list('deploymentconfig'),
    pvc: list('pvc'),
    namespacetargets: list('namespacetargets'),
    objects: list('objects'),
    options: list('options'),
    kind: word('kind'),
    selectorNamespace: word('selectorNamespace'),
    labels: word('labels'),
    podlabels: list('podlabels'),
    podannotations: list('podannotations'),
    dryRun: raw['dryRun'] === true,
    skipValidation: raw['skipValidation'] === true,
    wait: raw['wait'] === true,
    timeoutMs: parseDuration(word('timeout')),
  }
}
