import { HoldfastError } from '../base/errors.ts'
import type { ExecStream } from '../kube/exec/exec.ts'
import { kubeError } from '../kube/errors.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { type ContainerName, execTarget, placeOf } from './container-name.ts'
import { type SecretValues, secretValuesOf } from './secret-values.ts'
import { TaskOutput } from './task-output.ts'

/**
 * What a command in a container prints, as a stream that ends normally only if the command ended with 0 and every byte arrived. Otherwise it
 * fails with FUNCTION_COMMAND_FAILED, which quotes the last lines of stderr. Lines of stderr go to the log; output markers among them, since
 * stdout is the stream, are given to `onOutputs` before the stream ends.
 */
export async function* commandOutput(
  ctx: Pick<FunctionContext, 'kube' | 'log' | 'params' | 'signal' | 'warn'>,
  name: ContainerName,
  command: readonly string[],
  onOutputs: (outputs: Readonly<Record<string, string>>) => void,
): AsyncGenerator<Uint8Array> {
  const secrets = secretValuesOf(ctx.params)
  const stderr = stderrOf(ctx, name, secrets, true)
  const exec = await ctx.kube.exec.stream(execTarget(name), command, {
    signal: ctx.signal,
    onStderr: (line) => stderr.take(line),
  })
  try {
    yield* exec.stdout as AsyncIterable<Uint8Array>
    const { integrity } = await exec.result
    if (integrity === 'unverified') ctx.warn(unverified(name))
    onOutputs(stderr.outputs() ?? {})
  } catch (error) {
    throw kubeError.is(error, 'KUBE_EXEC_FAILED') ? await failed(name, exec, stderr) : error
  } finally {
    exec.stdout.destroy()
  }
}

/** Runs a command with `stdin` as its input; what it prints goes to the log. FUNCTION_COMMAND_FAILED on a non-zero exit code. */
export async function feedCommand(
  ctx: Pick<FunctionContext, 'kube' | 'log' | 'params' | 'signal' | 'warn'>,
  name: ContainerName,
  command: readonly string[],
  stdin: AsyncIterable<Uint8Array>,
): Promise<TaskOutput> {
  const secrets = secretValuesOf(ctx.params)
  const stderr = stderrOf(ctx, name, secrets, false)
  const log = ctx.log.child({ Pod: name.pod, ...(name.container ? { Container: name.container } : {}) })
  const stdout = new TaskOutput({ log, secrets, markers: true })
  const capture = ctx.kube.exec.capture(execTarget(name), command, {
    stdin,
    signal: ctx.signal,
    onStdout: (line) => stdout.take(line),
    onStderr: (line) => stderr.take(line),
    tailBytes: 4096,
  })
  const result = await capture.catch((error: unknown) => {
    // Why the input broke off says more than that it did.
    throw kubeError.is(error, 'KUBE_EXEC_INPUT') && error.cause instanceof HoldfastError ? error.cause : error
  })
  if (result.exitCode !== 0) throw commandFailed(name, result.exitCode, stderr.tail)
  if (result.integrity === 'unverified') ctx.warn(unverified(name))
  return stdout
}

function stderrOf(ctx: Pick<FunctionContext, 'log'>, name: ContainerName, secrets: SecretValues, markers: boolean): TaskOutput {
  const log = ctx.log.child({ Pod: name.pod, ...(name.container ? { Container: name.container } : {}) })
  return new TaskOutput({ log, secrets, markers })
}

async function failed(name: ContainerName, exec: ExecStream, stderr: TaskOutput): Promise<Error> {
  const { exitCode } = await exec.result
  return commandFailed(name, exitCode, stderr.tail)
}

function commandFailed(name: ContainerName, exitCode: number, stderr: string): Error {
  return functionError(
    'FUNCTION_COMMAND_FAILED',
    `Failed to exec command in pod: ${placeOf(name)}: command terminated with exit code ${exitCode}.\nstderr: ${stderr}`,
    { details: { exitCode, pod: name.pod, namespace: name.namespace } },
  )
}

function unverified(name: ContainerName): string {
  return `container ${placeOf(name)} has no sh: it cannot be proven that everything arrived`
}
