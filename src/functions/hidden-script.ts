import { parseShellCommand, shellQuote } from './shell-command.ts'
import type { SecretValues } from './secret-values.ts'

/** A command whose secret parts were moved into files. */
export interface HiddenCommand {
  readonly command: readonly string[]
  /** File name → content; none when the command shows no secret, or cannot be changed. */
  readonly files: Readonly<Record<string, string>>
  /** A secret stays visible in the command: it is no shell with an inline script. */
  readonly exposed: boolean
}

/** Where the files are mounted in a job pod. */
export const filesPath = '/run/holdfast/script'

/**
 * Moves the script of `sh … -c script` into a file if it holds a secret, so that the secret does not stand in the pod's spec. The same
 * shell with the same options and the same `$0` reads it by `.`, in which `exit`, `set`, `trap` and `$@` mean what they meant inline.
 * Positional parameters with secrets are set by a second file. Messages of the shell name the file instead of `-c`.
 * `prefix` tells the files of several commands in one pod apart.
 */
export function hideScript(command: readonly string[], secrets: SecretValues, prefix = ''): HiddenCommand {
  if (!command.some((word) => secrets.isIn(word))) return { command, files: {}, exposed: false }
  const shell = parseShellCommand(command)
  if (!shell) return { command, files: {}, exposed: true }
  const [name, ...parameters] = shell.after
  const secretParameters = parameters.some((word) => secrets.isIn(word))
  const runScript = `. ${filesPath}/${prefix}script`
  const script = secretParameters ? `. ${filesPath}/${prefix}parameters; ${runScript}` : runScript
  const after = name === undefined ? [] : [name, ...(secretParameters ? [] : parameters)]
  const hidden = [...shell.before, script, ...after]
  return {
    command: hidden,
    files: {
      [`${prefix}script`]: shell.script,
      ...(secretParameters ? { [`${prefix}parameters`]: `set -- ${parameters.map(shellQuote).join(' ')}\n` } : {}),
    },
    exposed: hidden.some((word) => secrets.isIn(word)),
  }
}
