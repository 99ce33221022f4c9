import { Command, Option } from 'commander'
import { cliError } from '../../errors.ts'
import type { BackupDeps, OpenedPlace, PlaceFlags } from './deps.ts'

const placeHelp = `
The place: --location s3:https://host/bucket/prefix or a folder, with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment: no cluster is
needed. Or --profile, which asks the cluster for place, credentials and key.
The key: --recovery-key-file, a file with what "holdfast key export" printed; several for backups from before a rotation.`

/** A command on a place of backups, with the flags that all of them have. `codes` are its own exit codes. */
export function placeCommand(name: string, description: string, codes = ''): Command {
  const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), value]
  return new Command(name)
    .description(description)
    .option('-l, --location <url>', 's3:https://host/bucket/prefix, or a folder')
    .option('--recovery-key-file <file>', "file with the installation's recovery key; may be given several times", collect)
    .option('--password-file <file>', 'file with the password of repositories that have one of their own')
    .option('--profile <[namespace/]name>', 'Profile of the cluster')
    .option('-n, --namespace <name>', 'namespace of the installation; that of the context when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .option('--ca-file <file>', 'trust the certificates in this file (PEM), and what they signed, as that of the store')
    .option('--insecure-tls', 'trust any certificate of the store')
    .addOption(new Option('-o, --output <format>', 'table for people or json').choices(['table', 'json']).default('table'))
    .addHelpText(
      'after',
      `${placeHelp}\n\nExit codes: 0 done; 1 failed; 2 wrong flags; 12 no key given opens it; 75 try again later${codes === '' ? '' : `; ${codes}`}.`,
    )
}

export async function withPlace(
  deps: BackupDeps,
  flags: PlaceFlags,
  work: (opened: OpenedPlace) => Promise<void>,
): Promise<void> {
  await using opened = await deps.open(flags)
  await work(opened)
}

/** What needs a cluster says so. */
export function clusterOf({ cluster }: OpenedPlace): NonNullable<OpenedPlace['cluster']> {
  if (cluster) return cluster
  throw cliError('CLI_USAGE', 'this works on a cluster: name the place with --profile, not with --location')
}

export function print(deps: Pick<BackupDeps, 'output'>, flags: Pick<PlaceFlags, 'output'>, json: unknown, text: string): void {
  deps.output.out(flags.output === 'json' ? `${JSON.stringify(json, undefined, 2)}\n` : text)
}
