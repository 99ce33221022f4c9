import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bootstrap, renderPreamble } from '../../../src/kube/exec/wrapper.ts'
import { until } from './fake-api.ts'

const nonce = '0123456789abcdef'.repeat(2)
const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([name = '']) => spawnSync(name, ['-c', ':'], { stdio: 'ignore' }).error === undefined,
)

interface Run {
  readonly process: ChildProcess
  output: string
  stderr: string
  ended: boolean
  feed(data: string | Buffer): void
  /** Output between header and marker, once the marker came. */
  finish(): Promise<{ readonly text: string; readonly code: number }>
}

function start(shell: readonly string[], mode: 'o' | 'i', command: readonly string[]): Run {
  const [name = '', ...args] = shell
  // As a runtime starts an exec: leader of a process group of its own.
  const child = spawn(name, [...args, '-c', bootstrap], { detached: true })
  const run: Run = {
    process: child,
    output: '',
    stderr: '',
    ended: false,
    feed: (data) => void child.stdin.write(data),
    async finish() {
      const marker = new RegExp(`^${nonce}\\+\\d+${mode};([^]*)${nonce}=(\\d+);$`)
      await until(() => marker.test(run.output))
      child.stdin.write('ok\n')
      await until(() => run.ended)
      const [, text = '', code] = marker.exec(run.output) ?? []
      return { text, code: Number(code) }
    },
  }
  child.stdin.on('error', () => undefined) // the command may end before its input
  child.stdout.on('data', (data: Buffer) => (run.output += data.toString('latin1')))
  child.stderr.on('data', (data: Buffer) => (run.stderr += data.toString('latin1')))
  child.on('close', () => (run.ended = true))
  run.feed(renderPreamble({ nonce, mode, command, killGraceSeconds: 1, lingerSeconds: 1 }))
  return run
}

function isAlive(group: number | undefined): boolean {
  try {
    return process.kill(-Number(group), 0)
  } catch {
    return false
  }
}

describe.concurrent.each(shells.map((shell) => [shell.join(' '), shell] as const))('the wrapper in %s', (_name, shell) => {
  it('passes any argv on unchanged', async () => {
    const odd = ["it's", 'two\nlines\n', '', '$HOME `id` $(id) \\n', '"', '-n', '!*?[a]~', 'ü€😀', ' spaces ']

    const run = start(shell, 'o', ['printf', '%s|', ...odd])

    expect((await run.finish()).text).toBe(Buffer.from(odd.map((arg) => `${arg}|`).join('')).toString('latin1'))
  })

  it('runs a program even where the shell has a builtin of that name', async () => {
    const run = start(shell, 'o', ['exit', '7'])

    expect(await run.finish()).toEqual({ text: '', code: 127 })
    expect(run.stderr).toContain('exit: not found')
  })

  it('tells the exit code of the command, also of one that died by a signal', async () => {
    expect((await start(shell, 'o', ['sh', '-c', 'exit 42']).finish()).code).toBe(42)
    expect((await start(shell, 'o', ['sh', '-c', 'kill -9 $$']).finish()).code).toBe(137)
  })

  it('gives the command an empty stdin when it has none', async () => {
    expect(await start(shell, 'o', ['cat']).finish()).toEqual({ text: '', code: 0 })
  })

  it('hands blocks of stdin on byte by byte as they are', async () => {
    const block = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7) % 256))
    const run = start(shell, 'i', ['sha256sum'])

    for (const part of [block, Buffer.from('\nok\nend\nkill\n'), block]) {
      run.feed(`${part.length}\n`)
      run.feed(part)
    }
    run.feed('end\n')

    const digest = createHash('sha256').update(block).update('\nok\nend\nkill\n').update(block).digest('hex')
    expect((await run.finish()).text).toBe(`${digest}  -\n`)
  })

  it('swallows the stdin that a command leaves', async () => {
    const run = start(shell, 'i', ['head', '-c', '3'])

    for (let i = 0; i < 4; i++) run.feed(Buffer.concat([Buffer.from('500000\n'), Buffer.alloc(500_000, 'q')]))
    run.feed('end\n')

    expect(await run.finish()).toEqual({ text: 'qqq', code: 0 })
  })

  it('lives until the output is acknowledged', async () => {
    const run = start(shell, 'o', ['true'])
    await until(() => run.output.includes('='))

    expect(isAlive(run.process.pid)).toBe(true)

    await run.finish()
    await until(() => !isAlive(run.process.pid))
  })

  it.each([
    ['its stdin is closed', (run: Run) => run.process.stdin?.end()],
    ['it is told so', (run: Run) => run.feed('kill\n')],
  ])('ends the command and what it started when %s', async (_when, stop) => {
    const run = start(shell, 'o', ['sh', '-c', 'trap "" TERM; sleep 300 & echo started; sleep 300; sleep 300'])
    await until(() => run.output.includes('started'))

    stop(run)

    await until(() => !isAlive(run.process.pid))
    // Its own shells are not killed with them: process 1 of the container would be told of a child that a signal ended.
    expect(run.process.signalCode).toBe(null)
  })

  it('never shows a command the end of input when its input was cut', async () => {
    const run = start(shell, 'i', ['sh', '-c', 'cat; echo SAW THE END'])
    run.feed('100\nonly a part')
    await until(() => run.output.includes(';'))

    run.process.stdin?.end()

    await until(() => !isAlive(run.process.pid) && run.ended)
    expect(run.output).not.toContain('SAW THE END')
  })

  it('keeps its own variables from the command', async () => {
    const run = start(shell, 'o', ['env'])

    expect((await run.finish()).text).not.toContain('_hf_')
  })
})
