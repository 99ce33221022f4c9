import type { FunctionContext } from '../../src/functions/context.ts'
import { defineFunction, type PhaseFunction, type Resume } from '../../src/functions/define.ts'
import { functionError } from '../../src/functions/errors.ts'
import { isHandedOver } from '../../src/functions/handover.ts'
import type { FindFunction } from '../../src/engine/plan.ts'
import { kubeError } from '../../src/kube/errors.ts'
import { flag, integer, object, optional, text } from '../../src/schema/build.ts'
import type { OutsideWorld } from './outside-world.ts'
import type { SimProcess } from './virtual-time.ts'

/** The engine's own grace time for a function that was told to stop. */
const leftBehindMs = 15_000

/** How a phase of the simulation behaves. */
export interface PhaseArgs {
  /** Names its side effect. */
  readonly k: string
  readonly steps: number
  readonly stepMs: number
  readonly fail?: boolean | undefined
  readonly hang?: boolean | undefined
  /** Its first so many calls fail. */
  readonly flaky?: number | undefined
  /** Of so many of its calls the connection breaks at the end, when all is done that it does. */
  readonly loses?: number | undefined
  /** Goes on for so long after its signal was aborted. */
  readonly stubbornMs?: number | undefined
}

/** Functions of one process, one for each way to go on after a crash. */
export interface SimFunctionsOptions {
  readonly world: OutsideWorld
  readonly process: SimProcess
  /** Called when a function begins and when it ends in this process. */
  readonly onRunning: (change: 1 | -1) => void
  readonly trace: (text: string) => void
}

type Body = (ctx: FunctionContext, args: PhaseArgs) => Promise<string>

export const simFunctionNames = ['Say', 'Save', 'Upload', 'Once', 'Adopt'] as const

export function simFunctions(options: SimFunctionsOptions): FindFunction {
  const { world, process } = options
  const functions = new Map<string, PhaseFunction>([
    ['Say', define(options, 'Say', 'restart', say(world, process))],
    ['Save', define(options, 'Save', 'restart', save(world, process))],
    ['Upload', define(options, 'Upload', 'continue', upload(world, process))],
    ['Once', define(options, 'Once', 'refuse', say(world, process))],
    ['Adopt', define(options, 'Adopt', 'adopt', adopt(world, process))],
  ])
  return (name) => {
    const found = functions.get(name)
    if (found) return found
    throw functionError('FUNCTION_UNKNOWN', `Requested function {${name}} has not been registered`)
  }
}

function define(
  { world, onRunning, trace, process }: SimFunctionsOptions,
  name: string,
  resume: Resume,
  body: Body,
): PhaseFunction {
  return defineFunction({
    name,
    summary: 'Does something outside that is counted.',
    args: object({
      k: text('Names the side effect.'),
      steps: integer('Steps after the side effect.'),
      stepMs: integer('Length of a step.'),
      fail: optional(flag('Fails at its end.')),
      hang: optional(flag('Never ends by itself.')),
      flaky: optional(integer('Its first so many calls fail.')),
      loses: optional(integer('Of so many of its calls the connection breaks.')),
      stubbornMs: optional(integer('Does not listen to its signal for so long.')),
    }),
    outputs: { key: 'What it made.' },
    rbac: [],
    resume,
    ...(resume === 'adopt'
      ? { abandon: (ctx) => world.call(process, () => void world.jobs.delete(ctx.deriveName('job-')), ctx.signal) }
      : {}),
    run: async (ctx, args) => {
      onRunning(1)
      let counts = true
      const isOver = (): void => {
        if (counts) onRunning(-1)
        counts = false
      }
      // What does not end in its grace time is left behind, and does not count.
      ctx.signal.addEventListener('abort', () => void ctx.clock.sleep(leftBehindMs).then(isOver, isOver), { once: true })
      trace(`${process.name} runs ${args.k} (attempt ${ctx.run.attempt}${ctx.resumed === undefined ? '' : ', resumed'})`)
      try {
        const key = await body(ctx, args)
        if (world.fails(`connection of ${args.k}`, args.loses ?? 0))
          throw kubeError('KUBE_EXEC_LOST', 'the connection was lost')
        if (world.fails(args.k, args.flaky ?? 0)) throw new Error(`${args.k} does not work yet`)
        if (args.fail) throw new Error(`${args.k} fails as it was told`)
        isOver()
        return { key }
      } catch (error) {
        const stays = args.stubbornMs === undefined ? undefined : ctx.clock.sleep(args.stubbornMs)
        isOver()
        await stays
        throw error
      }
    },
  }) as unknown as PhaseFunction
}

async function steps(ctx: FunctionContext, { steps: count, stepMs, hang }: PhaseArgs): Promise<void> {
  for (let step = 1; step <= count; step++) {
    await ctx.clock.sleep(stepMs, ctx.signal)
    ctx.progress({ progressPercent: String(Math.round((step / count) * 100)) })
  }
  if (hang) await ctx.clock.sleep(86_400_000, ctx.signal)
}

/** One side effect that its name does not guard: a command in a container. */
function say(world: OutsideWorld, process: SimProcess): Body {
  return async (ctx, args) => {
    await world.call(process, () => world.happen(args.k), ctx.signal)
    await steps(ctx, args)
    return `said ${args.k}`
  }
}

/** Data under a name of its own attempt: what was begun before is garbage, and says so by its name. */
function save(world: OutsideWorld, process: SimProcess): Body {
  return async (ctx, args) => {
    await steps(ctx, args)
    const key = `${args.k}/attempt-${ctx.run.attempt}`
    await world.call(
      process,
      () => {
        world.happen(args.k)
        world.data.add(key)
      },
      ctx.signal,
    )
    return key
  }
}

/** Pieces named by their content; the checkpoint says which are there. */
function upload(world: OutsideWorld, process: SimProcess): Body {
  return async (ctx, args) => {
    const { done = 0 } = (ctx.resumed ?? {}) as { done?: number }
    for (let piece = done; piece < args.steps; piece++) {
      await world.call(process, () => world.data.add(`${args.k}/piece-${piece}`), ctx.signal)
      await ctx.checkpoint({ done: piece + 1 })
    }
    if (args.hang) await ctx.clock.sleep(86_400_000, ctx.signal)
    const key = `${args.k}/whole`
    await world.call(
      process,
      () => {
        for (let piece = 0; piece < args.steps; piece++) {
          if (!world.data.has(`${args.k}/piece-${piece}`)) throw new Error(`${key} lacks piece ${piece}`)
        }
        world.happen(args.k)
        world.data.add(key)
      },
      ctx.signal,
    )
    return key
  }
}

/** A job outside under a derived name: begun after a checkpoint, taken by whoever comes next, removed when its result is kept. */
function adopt(world: OutsideWorld, process: SimProcess): Body {
  return async (ctx, args) => {
    const name = ctx.deriveName('job-')
    let { result } = (ctx.resumed ?? {}) as { result?: string }
    try {
      if (result === undefined) {
        await ctx.checkpoint({ job: name })
        await ctx.confirm()
        await world.call(process, () => world.begin(name, args.k, args.hang ? 1e9 : args.steps * args.stepMs), ctx.signal)
        result = await resultOf(world, process, ctx, name)
        await ctx.checkpoint({ job: name, result })
      }
      if (ctx.resumed !== undefined) await ctx.untilAlone()
      await world.call(process, () => world.jobs.delete(name), ctx.signal)
      return result
    } catch (error) {
      const { code } = (ctx.signal.reason ?? {}) as { code?: string }
      // Whoever goes on finds it; nobody else does.
      if ((code === 'RUN_CANCELLED' || code === 'RUN_TIMEOUT') && !(await isHandedOver(ctx)))
        await world.call(process, () => world.jobs.delete(name))
      throw error
    }
  }
}

async function resultOf(world: OutsideWorld, process: SimProcess, ctx: FunctionContext, name: string): Promise<string> {
  for (;;) {
    const job = await world.call(process, () => world.jobs.get(name), ctx.signal)
    if (!job) throw new Error(`job ${name} is gone`)
    if (job.done) return job.result
    await ctx.clock.sleep(1_000, ctx.signal)
  }
}
