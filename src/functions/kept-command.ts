import { createHash } from 'node:crypto'
import { backoffMs } from '../base/backoff.ts'
import { mapBounded } from '../base/semaphore.ts'
import { nextOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import type { KeepOptions, KeptResult } from '../kube/exec/exec.ts'
import { kinds } from '../kube/kinds.ts'
import { map, object, text, type TypeOf } from '../schema/build.ts'
import { fits } from '../schema/check.ts'
import { type ContainerName, execTarget, placeOf } from './container-name.ts'
import type { FunctionContext } from './context.ts'
import { functionError } from './errors.ts'
import { isHandoverReason } from './handover.ts'

/**
 * What the Run holds of commands in containers before they start: which run of each container they are meant for. A resume finds the
 * records in the containers by derived names; a record means something in the same run of the container only.
 */
const KeptCommands = object({
  exec: object({
    namespace: text('Namespace of the pods.'),
    containers: map(text('containerID; empty when it was not known.'), 'By `<pod>/<container as asked for>`.'),
  }),
})
type KeptCommands = TypeOf<typeof KeptCommands>

/** With more of them the checkpoint would be too large; a crash is then as with containers that keep no record. */
const mostContainers = 400

/** For the pages of functions that run commands in this way. */
export const onceNote =
  'The command runs once, also if the engine dies meanwhile: it goes on, and whoever takes over joins it or takes its result, which is kept in the ' +
  'container until it was read (folder `.holdfast` in $TMPDIR, /tmp, /dev/shm, /var/tmp or /run; exit code, output markers and the last 64 KiB). ' +
  'If the container was restarted meanwhile, cannot be written, or has no `sh`, nobody knows what became of the command, and the phase fails as interrupted, ' +
  'unless `resume: restart` is set.'

/** Asked before the phase starts, so that it stands in the write that starts it. */
export async function noteContainers(
  ctx: Pick<FunctionContext, 'kube' | 'signal'>,
  namespace: string,
  targets: readonly ContainerName[],
): Promise<KeptCommands | undefined> {
  if (targets.length > mostContainers) return undefined
  const ids = await mapBounded(targets, 8, (target) => runningContainer(ctx, target), ctx.signal)
  const containers = Object.fromEntries(targets.map((target, index) => [keyOf(target), ids[index] ?? '']))
  return { exec: { namespace, containers } }
}

/** Who takes lines: made anew for each connection, since a command that is joined tells its last lines again. */
export type Listen = () => Pick<KeepOptions, 'onStdout' | 'onStderr' | 'tailBytes'>

/** Runs a command once, over crashes of this process and losses of the connection, and has its record removed when the phase's end is durable. */
export async function runKept(
  ctx: FunctionContext,
  target: ContainerName,
  command: readonly string[],
  listen: Listen,
): Promise<KeptResult> {
  const noted = ctx.resumed === undefined ? undefined : notedContainer(ctx.resumed, target)
  if (noted !== undefined) await assertSameContainer(ctx, target, noted)
  const options = {
    name: recordName(ctx, target),
    leave: isHandoverReason,
    beforeStart: () => ctx.confirm(),
    signal: ctx.signal,
  }
  const attempt = (again: boolean): Promise<KeptResult> =>
    ctx.kube.exec.keep(execTarget(target), command, { ...options, ...listen(), again })
  const result = await keepTrying(ctx, target, attempt, noted)
  ctx.afterwards(async () => {
    if (ctx.resumed !== undefined) await ctx.untilAlone()
    await result.release()
  })
  return result
}

/** How long a connection that was lost is sought again, since it was lost. */
const reconnectBudgetMs = 15 * 60_000

/** A lost connection is no end of the command: it is joined again, as after a crash. */
async function keepTrying(
  ctx: FunctionContext,
  target: ContainerName,
  attempt: (again: boolean) => Promise<KeptResult>,
  noted: string | undefined,
): Promise<KeptResult> {
  let lost: unknown
  let giveUpAt = 0
  for (let tries = 0; ; tries++) {
    const startMs = ctx.clock.now()
    try {
      return await attempt(noted !== undefined || tries > 0)
    } catch (error) {
      ctx.signal.throwIfAborted()
      if (kubeError.is(error, 'KUBE_EXEC_NO_RECORD') && lost !== undefined) throw lost
      if (kubeError.is(error, 'KUBE_EXEC_RECORD_LOST', 'KUBE_EXEC_NO_RECORD')) throw interrupted(target, error.message)
      const now = ctx.clock.now()
      if (lost === undefined || now - startMs > 60_000) giveUpAt = now + reconnectBudgetMs
      if (nextOf(error) !== 'retry' || now > giveUpAt) throw error
      lost = error
      ctx.log.warn({ Pod: target.pod, error: String(error) }, 'connection to a command lost, joining it again')
      await ctx.clock.sleep(backoffMs(tries + 1, { firstMs: 200, maxMs: 5_000 }), ctx.signal)
    }
  }
}

/** Ends what an earlier attempt of the phase left in containers, with its records. Containers that are gone need nothing. */
export async function dropCommands(ctx: FunctionContext): Promise<void> {
  if (!fits(KeptCommands, ctx.resumed)) return
  const { namespace, containers } = ctx.resumed.exec
  await mapBounded(
    Object.entries(containers),
    8,
    async ([key, noted]) => {
      const target = targetOf(namespace, key)
      if (noted !== '' && (await runningContainer(ctx, target)) !== noted) return
      await ctx.kube.exec.drop(execTarget(target), recordName(ctx, target), { signal: ctx.signal, killGraceMs: 3_000 })
    },
    ctx.signal,
  )
}

/**
 * Of the record in the container: the same in each attempt of the same try of the phase. The hash tells containers of one pod apart whose names are long:
 * they may share the folder that records are in (a volume, /dev/shm), and one would take the other's command for its own.
 */
function recordName(ctx: Pick<FunctionContext, 'deriveName'>, target: ContainerName): string {
  const hash = createHash('sha256').update(keyOf(target)).digest('hex').slice(0, 8)
  const name = `exec-${hash}-${target.pod}`.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
  return ctx.deriveName(`${name.slice(0, 39)}-`)
}

async function assertSameContainer(ctx: FunctionContext, target: ContainerName, noted: string): Promise<void> {
  const now = await runningContainer(ctx, target)
  if (now === undefined) throw interrupted(target, 'the pod or its container is gone')
  if (noted !== '' && now !== noted) throw interrupted(target, 'the container was restarted since')
}

function interrupted(target: ContainerName, why: string): Error {
  return functionError(
    'FUNCTION_INTERRUPTED',
    `the engine was stopped while the command ran in ${placeOf(target)}, and it cannot be known what became of it: ${why}; look at what it ` +
      'left behind, then create the ActionSet again (resume: restart in the phase, where its command may run twice, does that by itself)',
  )
}

/** Undefined when there is no such pod, or its container does not run. */
async function runningContainer(
  ctx: Pick<FunctionContext, 'kube' | 'signal'>,
  target: ContainerName,
): Promise<string | undefined> {
  const { namespace, pod } = target
  const found = await ctx.kube.resource(kinds.pods).find({ namespace, name: pod }, { signal: ctx.signal })
  const name = target.container || found?.metadata.annotations?.[defaultContainer] || found?.spec?.containers[0]?.name
  const status = found?.status?.containerStatuses?.find((each) => each.name === name)
  return status?.state?.running ? status.containerID : undefined
}

const defaultContainer = 'kubectl.kubernetes.io/default-container'

function notedContainer(resumed: unknown, target: ContainerName): string {
  const noted = fits(KeptCommands, resumed) ? resumed.exec.containers[keyOf(target)] : undefined
  if (noted !== undefined) return noted
  throw interrupted(target, 'nothing was noted of it')
}

function keyOf({ pod, container }: ContainerName): string {
  return `${pod}/${container ?? ''}`
}

function targetOf(namespace: string, key: string): ContainerName {
  const at = key.indexOf('/')
  return { namespace, pod: key.slice(0, at), container: key.slice(at + 1) }
}
