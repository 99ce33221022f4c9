/** A command line of the form `sh [options] -c script [name args…]`, taken apart. */
export interface ShellCommand {
  /** Everything before the script: the shell and its options, `-c` among them. */
  readonly before: readonly string[]
  readonly script: string
  /** `$0` and the positional parameters, as given after the script. */
  readonly after: readonly string[]
}

const shells = new Set(['sh', 'bash', 'dash', 'ash', 'ksh', 'zsh'])

/** Undefined when `command` is not a shell with an inline script. */
export function parseShellCommand(command: readonly string[]): ShellCommand | undefined {
  const start = shellAt(command)
  if (start === undefined) return undefined
  let inline = false
  let at = start + 1
  for (; at < command.length; at++) {
    const word = command[at] as string
    if (word === '--' || word === '-') {
      at++
      break
    }
    if (word.startsWith('--')) continue
    if (!/^[-+]./.test(word)) break
    if (word.startsWith('-') && word.includes('c')) inline = true
    // `-o pipefail`, also at the end of a cluster such as `-euo`, takes the next word.
    at += word.slice(1).replaceAll(/[^oO]/g, '').length
  }
  const script = command[at]
  if (!inline || script === undefined) return undefined
  return { before: command.slice(0, at), script, after: command.slice(at + 1) }
}

/** Where the shell's name stands; `busybox sh` and `env bash` are shells too. */
function shellAt(command: readonly string[]): number | undefined {
  const first = baseName(command[0])
  if (shells.has(first)) return 0
  return (first === 'busybox' || first === 'env') && shells.has(baseName(command[1])) ? 1 : undefined
}

function baseName(path = ''): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** One word that a POSIX shell reads back as exactly `text`. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
