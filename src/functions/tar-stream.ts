import type { FunctionContext } from './context.ts'
import { type ContainerName, execTarget, placeOf } from './container-name.ts'
import { functionError } from './errors.ts'
import { type TarProgram, type TarTree, createTarCommand } from './tar-program.ts'
import { judgeTar } from './tar-verdict.ts'

/** Lines of stderr that are kept for the verdict; a directory full of unreadable files must not fill the memory. */
const keptLines = 1_000

/**
 * Some codes of tar other than 0 are no failure, but the exec stream breaks off on any of them: so the shell ends with 0 and says tar's
 * code as the last line of stderr.
 */
const exitLine = 'holdfast: tar ended with '
const tolerant = ['sh', '-c', `"$@"; echo "${exitLine}$?" >&2`, 'sh']

/**
 * A tree of a container as a tar stream. It ends normally only when all of it arrived and tar's verdict is good; what tar complained of
 * without failing becomes warnings of the Run.
 */
export async function* tarOutput(
  ctx: Pick<FunctionContext, 'kube' | 'signal' | 'warn'>,
  place: ContainerName,
  program: TarProgram,
  tree: TarTree,
): AsyncGenerator<Uint8Array> {
  const stderr: string[] = []
  let exitCode: number | undefined
  const exec = await ctx.kube.exec.stream(execTarget(place), [...tolerant, ...createTarCommand(program, tree)], {
    signal: ctx.signal,
    onStderr: (line) => {
      if (line.startsWith(exitLine)) exitCode = Number(line.slice(exitLine.length))
      else if (stderr.length < keptLines) stderr.push(line)
    },
  })
  try {
    yield* exec.stdout as AsyncIterable<Uint8Array>
    await exec.result
  } finally {
    exec.stdout.destroy()
  }
  const verdict = exitCode === undefined ? undefined : judgeTar(program, exitCode, stderr)
  if (!verdict?.ok) throw tarFailed(place, tree, exitCode, stderr)
  for (const warning of verdict.warnings) ctx.warn(`${placeOf(place)}: ${warning}`)
}

function tarFailed(
  place: ContainerName,
  { folder, name }: TarTree,
  exitCode: number | undefined,
  stderr: readonly string[],
): Error {
  const ended = exitCode === undefined ? 'it is not known how it ended' : `command terminated with exit code ${exitCode}`
  return functionError(
    'FUNCTION_TAR_FAILED',
    `tar of "${name}" in "${folder}" of ${placeOf(place)} failed: ${ended}; nothing was kept.\nstderr: ${stderr.slice(-10).join('\n')}`,
    { details: { exitCode, pod: place.pod, namespace: place.namespace } },
  )
}
