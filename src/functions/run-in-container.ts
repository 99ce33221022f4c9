import type { CaptureResult } from '../kube/exec/exec.ts'
import { type ContainerName, placeOf } from './container-name.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { runKept } from './kept-command.ts'
import { secretValuesOf } from './secret-values.ts'
import { TaskOutput } from './task-output.ts'

/**
 * Runs a command to its end, once, whatever becomes of this process; its lines go to the log, markers on stdout are collected.
 * FUNCTION_COMMAND_FAILED on a non-zero exit code, FUNCTION_INTERRUPTED when it cannot be known what became of it.
 */
export async function runInContainer(
  ctx: FunctionContext,
  name: ContainerName,
  command: readonly string[],
): Promise<TaskOutput> {
  const secrets = secretValuesOf(ctx.params)
  const log = ctx.log.child({ Pod: name.pod, ...(name.container ? { Container: name.container } : {}) })
  let stdout = new TaskOutput({ log, secrets, markers: true })
  let stderr = new TaskOutput({ log, secrets, markers: false })
  const result = await runKept(ctx, name, command, () => {
    stdout = new TaskOutput({ log, secrets, markers: true })
    stderr = new TaskOutput({ log, secrets, markers: false })
    return { onStdout: (line) => stdout.take(line), onStderr: (line) => stderr.take(line), tailBytes: 4096 }
  })
  if (result.exitCode !== 0) throw commandFailed(name, result, stdout.tail, stderr.tail)
  if (result.integrity === 'unverified') {
    ctx.warn(`pod "${name.namespace}/${name.pod}" has no sh: it cannot be proven that the whole output of the command arrived`)
  }
  return stdout
}

function commandFailed(name: ContainerName, { exitCode }: CaptureResult, stdout: string, stderr: string): Error {
  const place = placeOf(name)
  return functionError(
    'FUNCTION_COMMAND_FAILED',
    `Failed to exec command in pod: ${place}: command terminated with exit code ${exitCode}.\nstdout: ${stdout}\nstderr: ${stderr}`,
    { details: { exitCode, pod: name.pod, namespace: name.namespace } },
  )
}
