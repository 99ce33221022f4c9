import { Command, Option } from 'commander'
import { cliError } from '../../errors.ts'
import type { ConnectionFlags } from '../../kanctl/create-actionset/define.ts'
import type { Output } from '../../output.ts'

/** What happened to one repository in a rotation. */
export interface RotatedRepository {
  readonly repository: string
  readonly added: boolean
  readonly removed: boolean
  /** Why it could not be done. */
  readonly problem?: string
}

export interface KeyDeps {
  readonly output: Output
  finish(exitCode: number): void
  readText(file: string): Promise<string>
  /** Makes a file that nobody else may read, refusing one that is there. */
  writeSecret(file: string, text: string): Promise<void>
  find(): Promise<{ readonly key: string; readonly fingerprint: string; readonly exported: boolean } | undefined>
  markExported(fingerprint: string): Promise<void>
  import(key: string, options: { readonly replace: boolean }): Promise<void>
  rotate(options: { readonly force: boolean }): Promise<{
    readonly fingerprint: string
    readonly finished: boolean
    readonly repositories: readonly RotatedRepository[]
  }>
}

type Open = (flags: ConnectionFlags) => Promise<KeyDeps>

interface Format {
  readonly output: 'text' | 'json'
}

const exits = '\nExit codes: 0 done; 1 failed; 2 wrong flags.'

/** `holdfast key …`: the recovery key of the installation, which opens every repository it made. */
export function keyCommands(open: Open): Command {
  const command = new Command('key').description("The installation's recovery key, which opens every repository that it made.")
  for (const verb of [exportCommand, importCommand, rotateCommand]) command.addCommand(verb(open))
  return command
}

function exportCommand(open: Open): Command {
  return onCluster(
    'export',
    'Take the recovery key out, to be kept outside of the cluster. From then on no backup warns of it.',
  )
    .option('--to-file <file>', 'make this file, readable by you alone; without it the key is printed')
    .addHelpText('after', `${exits}\n\nExample:\n  holdfast key export -n holdfast --to-file recovery.key`)
    .action(async (flags: ConnectionFlags & Format & { toFile?: string }) => {
      const deps = await open(flags)
      const found = await deps.find()
      if (!found) throw cliError('CLI_NOT_FOUND', 'there is no recovery key yet: it is made with the first repository')
      const { key, fingerprint } = found
      if (flags.toFile !== undefined) await deps.writeSecret(flags.toFile, `${key}\n`)
      const where = flags.toFile === undefined ? { recoveryKey: key } : { file: flags.toFile }
      if (flags.output === 'json') deps.output.out(`${JSON.stringify({ fingerprint, ...where }, undefined, 2)}\n`)
      else if (flags.toFile === undefined) deps.output.out(`${key}\n`)
      await deps.markExported(fingerprint)
      deps.output.err(
        `Recovery key ${fingerprint}. Keep it where losing the cluster does not lose it; it opens every repository.\n`,
      )
    })
}

function importCommand(open: Open): Command {
  return onCluster('import', 'Put a recovery key into this cluster: before anything else in a new one, to reach old backups.')
    .argument('<file>', 'file with the key; - is stdin')
    .option('--replace', 'though there is another one, which is kept as a previous one')
    .addHelpText('after', exits)
    .action(async (file: string, flags: ConnectionFlags & Format & { replace?: boolean }) => {
      const deps = await open(flags)
      await deps.import((await deps.readText(file)).trim(), { replace: flags.replace === true })
      const fingerprint = (await deps.find())?.fingerprint ?? ''
      // Whoever has it to import it has it outside.
      await deps.markExported(fingerprint)
      deps.output.out(
        flags.output === 'json' ? `${JSON.stringify({ fingerprint })}\n` : `recovery key ${fingerprint} imported\n`,
      )
    })
}

function rotateCommand(open: Open): Command {
  return onCluster('rotate', 'Make a new recovery key, add it to every known repository, and remove the old one from them.')
    .option('--force', 'go on though some repositories could not be reached; they keep the old key')
    .addHelpText(
      'after',
      `${exits.replace('1 failed', '1 not finished: run it again')}\n\nExport the new key afterwards. Keep the old one as well: catalogs written before open by it alone.`,
    )
    .action(async (flags: ConnectionFlags & Format & { force?: boolean }) => {
      const deps = await open(flags)
      const result = await deps.rotate({ force: flags.force === true })
      if (flags.output === 'json') deps.output.out(`${JSON.stringify(result, undefined, 2)}\n`)
      else {
        for (const { repository, added, removed, problem } of result.repositories)
          deps.output.out(
            `${repository}: ${added ? 'new key added' : 'new key NOT added'}${removed ? ', old one removed' : ''}${problem ? ` (${problem})` : ''}\n`,
          )
        deps.output.out(
          result.finished
            ? `recovery key ${result.fingerprint} is in use; export it now: holdfast key export\n`
            : 'not finished: the old key stays in use. Run this again, or with --force\n',
        )
      }
      if (!result.finished) deps.finish(1)
    })
}

function onCluster(verb: string, description: string): Command {
  return new Command(verb)
    .description(description)
    .option('-n, --namespace <name>', 'namespace of the installation; that of the context when absent')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig file')
    .addOption(new Option('-o, --output <format>', 'text for people or json').choices(['text', 'json']).default('text'))
}
