import type { CaptureResult, ExecTarget } from '../kube/exec/exec.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { secretValuesOf } from './secret-values.ts'
import { TaskOutput } from './task-output.ts'

/** A container as arguments name it; an empty name is the pod's default container. */
export interface ContainerName {
  readonly namespace: string
  readonly pod: string
  readonly container?: string | undefined
}

export function execTarget({ namespace, pod, container }: ContainerName): ExecTarget {
  return { namespace, pod, ...(container ? { container } : {}) }
}

/** Runs a command to its end; its lines go to the log, markers on stdout are collected. FUNCTION_COMMAND_FAILED on a non-zero exit code. */
export async function runInContainer(
  ctx: Pick<FunctionContext, 'kube' | 'log' | 'params' | 'signal' | 'warn'>,
  name: ContainerName,
  command: readonly string[],
): Promise<TaskOutput> {
  const secrets = secretValuesOf(ctx.params)
  const log = ctx.log.child({ Pod: name.pod, ...(name.container ? { Container: name.container } : {}) })
  const stdout = new TaskOutput({ log, secrets, markers: true })
  const stderr = new TaskOutput({ log, secrets, markers: false })
  const result = await ctx.kube.exec.capture(execTarget(name), command, {
    signal: ctx.signal,
    onStdout: (line) => stdout.take(line),
    onStderr: (line) => stderr.take(line),
    tailBytes: 4096,
  })
  if (result.exitCode !== 0) throw commandFailed(name, result, stdout.tail, stderr.tail)
  if (result.integrity === 'unverified') {
    ctx.warn(`pod "${name.namespace}/${name.pod}" has no sh: it cannot be proven that the whole output of the command arrived`)
  }
  return stdout
}

function commandFailed(name: ContainerName, { exitCode }: CaptureResult, stdout: string, stderr: string): Error {
  const place = `${name.namespace}/${name.pod}${name.container ? `/${name.container}` : ''}`
  return functionError(
    'FUNCTION_COMMAND_FAILED',
    `Failed to exec command in pod: ${place}: command terminated with exit code ${exitCode}.\nstdout: ${stdout}\nstderr: ${stderr}`,
    { details: { exitCode, pod: name.pod, namespace: name.namespace } },
  )
}
