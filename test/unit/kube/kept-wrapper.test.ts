import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keptBootstrap, keptEnd, renderKeptPreamble } from '../../../src/kube/exec/kept-wrapper.ts'
import { until } from './fake-api.ts'

const nonce = '0123456789abcdef'.repeat(2)
const other = 'f'.repeat(32)
const shells = [['dash'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([name = '']) => spawnSync(name, ['-c', ':'], { stdio: 'ignore' }).error === undefined,
)
/** Node gives a child sockets, a runtime gives it pipes. */
const withPipes = '{ { cat | setsid "$@" 3>&- ; } 2>&1 >&3 3>&- | cat >&2 3>&-; } 3>&1 | cat'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kept-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Run {
  readonly process: ChildProcess
  /** The end of it. */
  output: string
  bytes: number
  stderr: string
  say(words: string): void
  /** As when the client is killed. */
  cut(): void
}

function start(shell: readonly string[], command: readonly string[], { again = false, k = nonce } = {}): Run {
  const env = { PATH: process.env['PATH'], TMPDIR: folder }
  const child = spawn('sh', ['-c', withPipes, 'sh', ...shell, '-c', keptBootstrap], { detached: true, env })
  const run: Run = {
    process: child,
    output: '',
    bytes: 0,
    stderr: '',
    say: (words) => void child.stdin.end(words),
    cut: () => {
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
    },
  }
  child.stdin.on('error', () => undefined)
  child.stdout.on('data', (data: Buffer) => {
    run.bytes += data.length
    run.output = (run.output + data.toString('latin1')).slice(-100_000)
  })
  child.stderr.on('data', (data: Buffer) => (run.stderr += data.toString('latin1')))
  child.stdin.write(renderKeptPreamble({ nonce: k, name: 'one', again, command, killGraceSeconds: 1 }))
  return run
}

function files(): string[] {
  return readdirSync(join(folder, '.holdfast')).toSorted()
}

async function over(run: Run): Promise<void> {
  await until(() => run.process.exitCode !== null)
}

describe.each(shells.map((shell) => [shell.join(' '), shell] as const))('a kept command in %s', (_name, shell) => {
  it('tells output and exit code as any other, and its record goes when it is released', async () => {
    const run = start(shell, ['sh', '-c', 'umask; echo err >&2; exit 3'])
    await until(() => run.output.endsWith(`${nonce}=3;`) && run.stderr.endsWith(';'))

    expect(run.output).toMatch(new RegExp(`^${nonce}\\+\\d+k;0\\d+\n${nonce}=3;$`))
    expect(run.stderr).toBe(`err\n${nonce}=3;`)
    expect(statSync(join(folder, '.holdfast')).mode & 0o777).toBe(0o700)
    for (const name of files()) expect(statSync(join(folder, '.holdfast', name)).mode & 0o777).toBe(0o600)
    run.say('ok\n')
    await over(run)
    expect(files()).toEqual([])
  })

  it('goes on when the connection is cut, and whoever asks again gets its result', async () => {
    const script = 'echo a; sleep 1; head -c 200000 /dev/zero; echo; echo "###Phase-output###: {}"; seq 1 20000; exit 5'
    const first = start(shell, ['sh', '-c', script])
    await until(() => first.output.endsWith('a\n'))
    first.cut()

    const second = start(shell, ['false'], { again: true, k: other })
    await until(() => second.output.includes(`${nonce}=5;`))

    expect(second.output).toContain(`a${nonce};###Phase-output###: {}\n`)
    expect(second.output).toContain('\n19999\n20000\n')
    expect(second.bytes).toBeLessThan(70_000)
    second.say('ok\n')
    await over(second)
    await over(first)
    expect(files()).toEqual([])
  })

  it('ends by a word of whoever joined it, and by the program that ends it', async () => {
    for (const how of ['kill', 'drop']) {
      const first = start(shell, ['sh', '-c', 'echo up; exec sleep 1234'])
      await until(() => first.output.includes('up'))
      first.cut()

      if (how === 'kill') {
        const second = start(shell, ['false'], { again: true, k: other })
        await until(() => second.output.includes(`a${nonce};`))
        second.say('kill\n')
        await over(second)
      } else {
        const env = { PATH: process.env['PATH'], TMPDIR: folder }
        spawnSync(shell[0] ?? '', [...shell.slice(1), '-c', keptEnd, 'sh', 'one', '1'], {
          env,
          timeout: 20_000,
          stdio: 'ignore',
        })
      }

      await over(first)
      expect(files()).toEqual([])
    }
  })

  it('of which only the claim is left is not started again', async () => {
    const run = start(shell, ['true'])
    await until(() => run.output.endsWith('=0;'))
    run.say('ok\n')
    await over(run)
    writeFileSync(join(folder, '.holdfast', 'one.p'), `1 1 ${nonce}\n`)

    const again = start(shell, ['touch', join(folder, 'ran')], { again: true, k: other })
    await until(() => again.output.endsWith('l;'))
    again.cut()
    await over(again)

    expect(readdirSync(folder)).toEqual(['.holdfast'])
  })
})
