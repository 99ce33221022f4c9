import type { KubeExec } from '../kube/exec/exec.ts'
import { functionError } from './errors.ts'
import { type ContainerName, execTarget } from './container-name.ts'

/** The tar of a container's image, and what was found out about its surroundings in the same exec. */
export interface TarProgram {
  readonly kind: 'gnu' | 'busybox' | 'other'
  /** As it prints itself: `tar (GNU tar) 1.34`. */
  readonly version: string
  /** It can keep extended attributes. */
  readonly xattrs: boolean
  /** Numeric user of the commands. Only 0 can give files to others. */
  readonly uid: number
  /** Where relative paths begin. */
  readonly cwd: string
}

/**
 * Asks once, with the shell's own words only: the image may hold no more than `sh` and `tar`. GNU tar built without support prints a line
 * saying so when it is asked for `--xattrs`.
 */
const probeScript = `
command -v tar >/dev/null 2>&1 || { echo none; exit 0; }
echo "version $(tar --version 2>&1)"
echo "xattrs $(tar --xattrs --xattrs-include='user.*' -cf /dev/null -T /dev/null 2>&1)"
echo "uid $(id -u 2>/dev/null)"
echo "cwd $(pwd)"
`

export async function probeTar(
  exec: KubeExec,
  name: ContainerName,
  options: { readonly signal: AbortSignal },
): Promise<TarProgram> {
  const result = await exec.capture(execTarget(name), ['sh', '-c', probeScript], { signal: options.signal })
  const found = result.exitCode === 0 ? parseProbe(result.stdout) : undefined
  if (found) return found
  throw functionError(
    'FUNCTION_TAR_FAILED',
    `container "${name.container ?? ''}" of pod "${name.namespace}/${name.pod}" has no usable tar; the image needs sh and tar` +
      (result.exitCode === 0 ? '' : ` (exit code ${result.exitCode}: ${result.stderrTail.trim().slice(-500)})`),
  )
}

/** Undefined when there is no tar. */
export function parseProbe(text: string): TarProgram | undefined {
  const lines = text.split('\n')
  const after = (word: string): string | undefined =>
    lines
      .findLast((line) => line.startsWith(`${word} `))
      ?.slice(word.length + 1)
      .trim()
  // Old BusyBox does not know --version, but introduces itself further down in its complaint.
  const said = /^version ([^]*?)\n(?=xattrs |uid )/m.exec(text)?.[1]
  if (said === undefined) return undefined
  const kind = /GNU tar/.test(said) ? 'gnu' : /busybox/i.test(said) ? 'busybox' : 'other'
  const version = said.split('\n').find((line) => /tar \(|busybox|bsdtar/i.test(line)) ?? ''
  const uid = after('uid')
  return {
    kind,
    version,
    xattrs: kind === 'gnu' && (after('xattrs') ?? '') === '',
    uid: uid !== undefined && /^\d+$/.test(uid) ? Number(uid) : -1,
    cwd: after('cwd') ?? '/',
  }
}

/** Extended attributes worth carrying: what users set, and file capabilities. Labels of the node's SELinux are not. */
const xattrOptions = ['--xattrs', '--xattrs-include=user.*', '--xattrs-include=security.capability']

/** What to put into a tar: `name` within `folder` (absolute); `.` is the folder itself. */
export interface TarTree {
  readonly folder: string
  readonly name: string
}

/**
 * Prints a tree as a tar. GNU: pax headers for fractions of seconds, holes kept. BusyBox knows neither: whole seconds, and holes travel as
 * zeros, which deduplicate.
 */
export function createTarCommand(program: TarProgram, tree: TarTree): string[] {
  // A name that begins with a dash would be read as an option.
  const name = tree.name.startsWith('-') ? `./${tree.name}` : tree.name
  if (program.kind !== 'gnu') return ['tar', '-c', '-f', '-', '-C', tree.folder, name]
  const format = ['--format=posix', '--pax-option=delete=atime,delete=ctime', '--numeric-owner', '--sparse']
  return ['tar', '--create', '--file=-', ...format, ...(program.xattrs ? xattrOptions : []), '-C', tree.folder, '--', name]
}

/** Unpacks stdin into `target` (absolute), which is made when it is not there. Ownership needs root; modes and times do not. */
export function extractTarCommand(program: TarProgram, target: string): string[] {
  const tar =
    program.kind === 'gnu'
      ? [
          'tar',
          '--extract',
          '--file=-',
          '--preserve-permissions',
          '--numeric-owner',
          '--delay-directory-restore',
          ...(program.xattrs ? xattrOptions : []),
        ]
      : ['tar', '-x', '-p', '-f', '-']
  return ['sh', '-c', 'mkdir -p -- "$0" && exec "$@"', target, ...tar, '-C', target]
}
