import { Command } from 'commander'
import type { NewKey } from '../../../repository/keys/add-key.ts'
import { cliError } from '../../errors.ts'
import { renderTable } from '../../table.ts'
import type { RepoDeps, RepoFlags } from './deps.ts'
import { printResult, repoCommand, withRepo } from './repo-command.ts'

interface NewKeyFlags {
  readonly newPasswordFile?: string
  readonly newRecoveryKeyFile?: string
}

/** Key files of one repository. */
export function keyCommand(deps: RepoDeps): Command {
  const command = new Command('key').description('The keys that open a repository.')
  for (const verb of [listCommand, addCommand, removeCommand, passwdCommand]) command.addCommand(verb(deps))
  return command
}

function listCommand(deps: RepoDeps): Command {
  return repoCommand('list', 'List the keys; * marks the one in use.').action((flags: RepoFlags) =>
    withRepo(deps, flags, async ({ repository }) => {
      const keys = await repository.keys({ signal: deps.signal })
      const rows = keys.map(({ id, username, hostname, created, current, recovery }) => [
        `${current ? '*' : ' '}${id.slice(0, 8)}`,
        recovery ? '(recovery key)' : username,
        recovery ? '' : hostname,
        created.slice(0, 19),
      ])
      printResult(deps, flags, keys, renderTable([[' ID', 'USER', 'HOST', 'CREATED'], ...rows]))
    }),
  )
}

function addCommand(deps: RepoDeps): Command {
  return withNewKey(repoCommand('add', 'Add a key.')).action((flags: RepoFlags & NewKeyFlags) =>
    withRepo(deps, flags, async ({ repository }) => {
      const { keyId } = await repository.addKey({ key: await newKey(deps, flags), signal: deps.signal })
      printResult(deps, flags, { keyId }, `key ${keyId.slice(0, 8)} added\n`)
    }),
  )
}

function removeCommand(deps: RepoDeps): Command {
  return repoCommand('remove', 'Remove a key, but not the one in use.')
    .argument('<id>', 'id or beginning of an id')
    .action((id: string, flags: RepoFlags) =>
      withRepo(deps, flags, async ({ repository }) => {
        const keyId = await repository.removeKey(id, { signal: deps.signal })
        printResult(deps, flags, { keyId }, `key ${keyId.slice(0, 8)} removed\n`)
      }),
    )
}

function passwdCommand(deps: RepoDeps): Command {
  return withNewKey(repoCommand('passwd', 'Put a new key in the place of the one in use.')).action(
    (flags: RepoFlags & NewKeyFlags) =>
      withRepo(deps, flags, async ({ repository }) => {
        const { keyId, removed } = await repository.changeKey({ key: await newKey(deps, flags), signal: deps.signal })
        printResult(deps, flags, { keyId, removed }, `key ${keyId.slice(0, 8)} is in the place of ${removed.slice(0, 8)}\n`)
      }),
  )
}

function withNewKey(command: Command): Command {
  return command
    .option('--new-password-file <file>', 'file with the new password')
    .option('--new-recovery-key-file <file>', 'file with a recovery key, which gets a key of its own')
}

async function newKey(deps: RepoDeps, { newPasswordFile, newRecoveryKeyFile }: NewKeyFlags): Promise<NewKey> {
  if (newRecoveryKeyFile) return { recoveryKey: (await deps.readText(newRecoveryKeyFile)).trim() }
  if (!newPasswordFile) throw cliError('CLI_USAGE', 'give the new key by --new-password-file or --new-recovery-key-file')
  const encryptionKey = firstLine(await deps.readText(newPasswordFile))
  if (encryptionKey === '') throw cliError('CLI_USAGE', `"${newPasswordFile}" is empty: it must hold the new password`)
  return { encryptionKey }
}

/** As restic reads a password file. */
export function firstLine(text: string): string {
  return text.replace(/\r?\n$/, '')
}
