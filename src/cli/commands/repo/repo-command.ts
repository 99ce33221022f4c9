import { Command, Option } from 'commander'
import { ProgressBar } from '../../progress-bar.ts'
import type { OpenedRepo, RepoDeps, RepoFlags } from './deps.ts'

const common =
  '0 done; 1 failed; 2 wrong flags; 10 no repository there; 11 a lock is in the way; 12 no key given opens it; 75 try again later'

const placeHelp = `
The repository: --repo with s3:https://host/bucket/path or a folder (or HOLDFAST_REPO), with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the
environment; or --profile with --app-namespace, --path or --prefix, which asks the cluster for place, credentials and key.
Its key: --password-file, --recovery-key-file, or HOLDFAST_REPO_PASSWORD in the environment. Never an argument: others can see those.`

/** A command on one repository, with the flags that all of them have. `codes` are its own exit codes. */
export function repoCommand(name: string, description: string, codes = ''): Command {
  return new Command(name)
    .description(description)
    .option('-r, --repo <url>', 'repository: s3:https://host/bucket/path, or a folder')
    .option('--password-file <file>', 'file with the password')
    .option('--recovery-key-file <file>', "file with the installation's recovery key")
    .option('--profile <[namespace/]name>', 'Profile of the cluster')
    .option('--app-namespace <name>', "with --profile: the application's namespace, for the repository of its streams")
    .option('--path <path>', "with --profile: path of the repository below the Profile's prefix")
    .option('--prefix <prefix>', 'with --profile: backupArtifactPrefix of BackupData')
    .option('-n, --namespace <name>', 'namespace of the installation; that of the context when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .option('--ca-file <file>', 'trust the certificates in this file (PEM), and what they signed, as that of the store')
    .option('--insecure-tls', 'trust any certificate of the store')
    .addOption(new Option('-o, --output <format>', 'table for people or json').choices(['table', 'json']).default('table'))
    .addHelpText('after', `${placeHelp}\n\nExit codes: ${common}${codes === '' ? '' : `; ${codes}`}.`)
}

/** Opens, works, closes. Warnings go to stderr, a bar is wiped before and after. */
export async function withRepo(
  deps: RepoDeps,
  flags: RepoFlags,
  work: (opened: OpenedRepo, talk: Talk) => Promise<void>,
): Promise<void> {
  await using opened = await deps.open(flags)
  const bar = new ProgressBar(deps.output, deps.clock)
  const warn = (warning: string): void => {
    bar.end()
    deps.output.err(`Warning: ${warning}\n`)
  }
  try {
    await work(opened, { bar, onWarning: warn })
  } finally {
    bar.end()
  }
}

export interface Talk {
  readonly bar: ProgressBar
  readonly onWarning: (warning: string) => void
}

/** A result as the flags ask for it. */
export function printResult(deps: RepoDeps, flags: Pick<RepoFlags, 'output'>, json: unknown, text: string): void {
  deps.output.out(flags.output === 'json' ? `${JSON.stringify(json, undefined, 2)}\n` : text)
}

/** A list of any length as one JSON array or as lines, printed while it comes. */
export async function printList<T>(
  deps: RepoDeps,
  flags: Pick<RepoFlags, 'output'>,
  items: AsyncIterable<T>,
  render: { readonly json: (item: T) => unknown; readonly line: (item: T) => string },
): Promise<void> {
  const write = (text: string): Promise<void> => deps.write(Buffer.from(text))
  const json = flags.output === 'json'
  let first = true
  for await (const item of items) {
    if (json) await write(`${first ? '[\n' : ',\n'}${JSON.stringify(render.json(item))}`)
    else await write(`${render.line(item)}\n`)
    first = false
  }
  if (json) await write(first ? '[]\n' : '\n]\n')
}
