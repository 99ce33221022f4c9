import { describe, expect, test } from 'vitest'
import { kubeExecAll } from '../../../src/functions/kube-exec-all.ts'
import type { ExecTarget, KeepOptions, KeptResult } from '../../../src/kube/exec/exec.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { aFunctionContext, runFunction } from '../../build/function-context.ts'

interface Command {
  readonly target: string
  /** Name of its record in the container. */
  readonly record: string
  print(key: string, value: string): void
  end(exitCode?: number): void
}

/** Containers whose commands end when the test says so. */
function containers(onStart: (command: Command) => void): Kube {
  const keep = (target: ExecTarget, _command: readonly string[], options: KeepOptions): Promise<KeptResult> =>
    new Promise((resolve) => {
      onStart({
        target: `${target.pod}/${target.container}`,
        record: options.name,
        print: (key, value) => options.onStdout?.(`###Phase-output###: ${JSON.stringify({ key, value })}`),
        end: (exitCode = 0) =>
          resolve({ exitCode, integrity: 'verified', how: 'ran', release: () => Promise.resolve() } as KeptResult),
      })
    })
  return { exec: { keep } } as unknown as Kube
}

const args = { namespace: 'n', pods: 'p1 p2', containers: ' a\tb\n', command: ['true'] }

describe('KubeExecAll', () => {
  test('runs in each container of each pod; of a key printed twice the last argument wins, whoever ends last', async () => {
    const running: Command[] = []
    const kube = containers((command) => {
      running.push(command)
      if (running.length < 4) return
      for (const each of running.toReversed()) {
        each.print('who', each.target)
        each.print(each.target.replace('/', '_'), 'yes')
        each.end()
      }
    })

    const outputs = await runFunction(kubeExecAll, aFunctionContext({ kube }).ctx, args)

    expect(running.map(({ target }) => target)).toEqual(['p1/a', 'p1/b', 'p2/a', 'p2/b'])
    expect(outputs).toEqual({ who: 'p2/b', p1_a: 'yes', p1_b: 'yes', p2_a: 'yes', p2_b: 'yes' })
  })

  test('at most eight commands run at once, and after a failure no further one starts', async () => {
    const running: Command[] = []
    const kube = containers((command) => {
      running.push(command)
      if (running.length === 8) for (const [index, each] of running.entries()) each.end(index % 4 === 0 ? 3 : 0)
    })
    const pods = Array.from({ length: 20 }, (_, index) => `p${index}`).join(' ')

    const failure = runFunction(kubeExecAll, aFunctionContext({ kube }).ctx, { ...args, pods, containers: 'c' })

    await expect(failure).rejects.toThrow(
      /failed in 2 of 20 containers:[^]*n\/p0\/c: command terminated with exit code 3[^]*n\/p4\/c: command terminated with exit code 3/,
    )
    expect(running).toHaveLength(8)
  })

  test('containers of one pod have records of their own, however long their names: they may share the folder', async () => {
    const running: Command[] = []
    const kube = containers((command) => {
      running.push(command)
      command.end()
    })
    const names = { pods: 'release-name-postgresql-primary-0', containers: 'postgresql postgresql-exporter' }

    await runFunction(kubeExecAll, aFunctionContext({ kube }).ctx, { ...args, ...names })

    expect(new Set(running.map(({ record }) => record)).size).toBe(2)
    for (const { record } of running) expect(record).toMatch(/^exec-[a-z0-9-]{1,58}$/)
  })

  test('without pods or containers it fails, unless that is allowed', async () => {
    const { ctx } = aFunctionContext({ kube: containers(() => undefined) })

    await expect(runFunction(kubeExecAll, ctx, { ...args, pods: ' ' })).rejects.toThrow(/there are no pods/)
    await expect(runFunction(kubeExecAll, ctx, { ...args, containers: '' })).rejects.toThrow(/there are no containers/)
    expect(await runFunction(kubeExecAll, ctx, { ...args, pods: '', allowEmpty: 'true' })).toBeUndefined()
  })
})
