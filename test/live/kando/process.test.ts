import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { runKando } from '../../../src/cli/kando/program.ts'
import { createProcesses } from '../../../src/main/kando/process/create-processes.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

const entry = resolve(import.meta.dirname, '../../../src/main/holdfast.ts')

let folder: string
let socket: string
let running: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-process-'))
  socket = join(folder, 'kando.sock')
  running = []
})
afterEach(async () => {
  await Promise.all(running.map(endOf))
  rmSync(folder, { recursive: true })
})

/** Its temporary files are in the test's folder. */
function start(words: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [entry, 'kando', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  })
  running.push(child)
  return child
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.exitCode !== null || child.signalCode !== null) return done()
    child.once('exit', () => done())
    child.kill('SIGKILL')
  })
}

async function serve(more: readonly string[] = []): Promise<ChildProcess> {
  const server = start([...more, 'process', 'server', '-a', socket])
  await waitFor('the socket', () => existsSync(socket), { unless: () => server.exitCode !== null && 'the server ended' })
  return server
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function ended(child: ChildProcess): Promise<Ended> {
  const code = new Promise<number | null>((done) => child.once('close', (exit) => done(exit)))
  const { stdout, stderr } = child
  if (!stdout || !stderr) throw new Error('without pipes')
  return { stdout: await text(stdout), stderr: await text(stderr), code: await code }
}

/** Runs the client in this process: the same, but for the second that a start takes. */
async function client(...words: string[]): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  const refuse = (): never => {
    throw new Error('not of this command')
  }
  const code = await runKando(
    ['process', 'client', '-a', socket, ...words],
    {
      output: { out: (out) => void (said.stdout += out), err: (err) => void (said.stderr += err), live: false },
      openOwnOutput: (name) => ({ write: async (chunk) => void (said[name] += Buffer.from(chunk).toString()) }),
      processes: createProcesses(),
      clock: systemClock,
      signal: AbortSignal.timeout(120_000),
      openStore: refuse,
      openSource: refuse,
      openTarget: refuse,
      openCommand: refuse,
      findText: refuse,
      readFolder: refuse,
    },
    'test',
  )
  return { code, ...said }
}

const clientProcess = (...words: string[]): Promise<Ended> => ended(start(['process', 'client', '-a', socket, ...words]))

async function create(script: string): Promise<string> {
  const { stdout } = await client('create', '--as-json', '--', 'sh', '-c', script)
  return (JSON.parse(stdout) as { pid: string }).pid
}

async function stateOf(pid: string): Promise<unknown> {
  return JSON.parse((await client('get', pid, '-j')).stdout)
}

describe('kando process', () => {
  test('starts a command, tells its state, and gives its output again to whoever asks', async () => {
    await serve()

    const created = await client('create', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3')

    expect(created).toMatchObject({ code: 0, stderr: '' })
    expect(created.stdout).toMatch(/^Process: {2}pid:\d+ state:PROCESS_STATE_RUNNING\n$/)
    const pid = /pid:(\d+)/.exec(created.stdout)?.[1] ?? ''
    expect(await client('output', pid)).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' })
    expect(await client('output', pid, '-x', '-p')).toEqual({ code: 0, stdout: 'out\n', stderr: 'err\n' })
    const line = `Process:  pid:${pid} state:PROCESS_STATE_FAILED exitCode:3 exitErr:"exit status 3"\n`
    expect(await client('get', pid)).toEqual({ code: 0, stdout: line, stderr: '' })
    expect(await client('get', pid, '--quiet')).toEqual({ code: 0, stdout: '', stderr: '' })
    const other = await create('true')
    await waitFor('its end', async () => ((await stateOf(other)) as { state: string }).state === 'PROCESS_STATE_SUCCEEDED')
    expect((await client('list')).stdout).toBe(`${line}Process:  pid:${other} state:PROCESS_STATE_SUCCEEDED\n`)
    expect((await client('list', '-j')).stdout.split('\n').map((one) => (one === '' ? '' : JSON.parse(one)))).toEqual([
      { pid, state: 'PROCESS_STATE_FAILED', exitCode: '3', exitErr: 'exit status 3' },
      { pid: other, state: 'PROCESS_STATE_SUCCEEDED' },
      '',
    ])
  })

  test('executes: prints the process, then both outputs, and ends with 0 or the code of the command', async () => {
    await serve()
    const words = ['--', 'sh', '-c', 'echo out; echo err >&2; exit 7']

    const plain = await clientProcess('execute', ...words)
    expect(plain).toMatchObject({ code: 0, stderr: 'err\n' })
    expect(plain.stdout).toMatch(/^Process: {2}pid:\d+ state:PROCESS_STATE_RUNNING\nout\n$/)
    expect(await clientProcess('execute', '-q', '-x', ...words)).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' })
    expect(await clientProcess('execute', '-qx', '--', 'sh', '-c', 'kill -9 $$')).toEqual({ code: 255, stdout: '', stderr: '' })
    expect(await client('execute', '-qx', 'true')).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  test('output comes as it is printed, to several at once, whole characters and other bytes alike', async () => {
    await serve()
    const go = join(folder, 'go')
    const pid = await create(
      `printf 'caf\\303'; while [ ! -e ${go} ]; do sleep 0.02; done; printf '\\251 \\377\\200!'; echo done >&2`,
    )
    const readers = [
      start(['process', 'client', 'output', pid, '-a', socket]),
      start(['process', 'client', 'output', pid, '-a', socket]),
    ]
    const seen = readers.map(() => Buffer.alloc(0))
    for (const [at, { stdout }] of readers.entries())
      stdout?.on('data', (chunk: Buffer) => (seen[at] = Buffer.concat([seen[at] ?? chunk, chunk])))

    await waitFor('the first letters at both', () => seen.every((bytes) => bytes.toString() === 'caf'))
    writeFileSync(go, '')

    const whole = Buffer.from([...Buffer.from('café '), 0xff, 0x80, 0x21])
    await waitFor('the rest at both', () => seen.every((bytes) => bytes.equals(whole)))
    await waitFor('the ends', () => readers.every(({ exitCode }) => exitCode === 0))
  })

  test('millions of bytes pass whole, and neither side holds them', async () => {
    const server = await serve()
    const script = 'i=0; while [ $i -lt 256 ]; do head -c 1048576 /dev/zero; i=$((i+1)); done'
    const before = residentMb(server)
    const child = start(['process', 'client', 'execute', '-q', '-a', socket, '--', 'sh', '-c', script])
    let size = 0
    child.stdout?.on('data', (chunk: Buffer) => (size += chunk.length))

    await waitFor('the end', () => child.exitCode === 0)

    expect(size).toBe(256 << 20)
    // V8 lets some 60 of what went through lie.
    expect(residentMb(server) - before).toBeLessThan(128)
  })

  test('signals reach the process, by hand and handed on by execute', async () => {
    await serve()
    const pid = await create('sleep 100')

    expect((await client('signal', pid, '15')).stdout).toContain(`pid:${pid} state:PROCESS_STATE_`)

    const killed = { pid, state: 'PROCESS_STATE_FAILED', exitCode: '-1', exitErr: 'signal: terminated' }
    await waitFor('its end', async () => ((await stateOf(pid)) as { exitErr?: string }).exitErr)
    expect(await stateOf(pid)).toEqual(killed)
    expect(await client('signal', pid, '15')).toMatchObject({ code: 69, stderr: expect.stringContaining('has ended') })
    const script = 'trap "echo caught; exit 5" INT; echo ready; while :; do sleep 0.05; done'
    const proxy = start(['process', 'client', 'execute', '-qpx', '-a', socket, '--', 'sh', '-c', script])
    proxy.stdout?.once('data', () => proxy.kill('SIGINT'))
    expect(await ended(proxy)).toEqual({ code: 5, stdout: expect.stringContaining('caught\n'), stderr: '' })
  })

  test('without --signal-proxy a signal ends the client, and the process goes on', async () => {
    await serve()
    const child = start(['process', 'client', 'execute', '-j', '-a', socket, '--', 'sh', '-c', 'while :; do sleep 0.05; done'])
    const line = new Promise<string>((done) => child.stdout?.once('data', (chunk: Buffer) => done(chunk.toString())))
    const { pid } = JSON.parse(await line) as { pid: string }

    child.kill('SIGTERM')

    expect(await new Promise((done) => child.once('exit', done))).toBe(143)
    expect(await stateOf(pid)).toEqual({ pid, state: 'PROCESS_STATE_RUNNING' })
  })

  test('what fails ends with 69, of execute with 15 and the gRPC status', async () => {
    expect(await client('list')).toMatchObject({ code: 69, stderr: expect.stringContaining('cannot be reached (ENOENT)') })
    expect((await client('execute', 'true')).code).toBe(15 + 14)
    await serve()

    const missing = await clientProcess('execute', 'no-such-command')
    expect(missing).toEqual({
      code: 15 + 2,
      stdout: '',
      stderr: expect.stringMatching(/^Error: command "no-such-command" cannot be started.*ENOENT\n$/),
    })
    expect((await client('create', 'no-such-command')).code).toBe(69)
    expect(await client('get', '1')).toMatchObject({ code: 69, stderr: expect.stringContaining('Process not found') })
    expect(await client('output', '1')).toMatchObject({ code: 69, stderr: expect.stringContaining('Process not found') })
    expect(await client('get', 'one')).toMatchObject({ code: 69, stderr: expect.stringContaining('PID "one" is not a number') })
    expect(await client('execute')).toMatchObject({ code: 69, stderr: expect.stringContaining('command') })
    const pid = await create('sleep 100')
    expect(await client('signal', pid, '99')).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('99 is not the number of a signal'),
    })
  })
})

describe('kando process server', () => {
  test('lets only its user in, and keeps output where only its user reads it', async () => {
    await serve()
    await create('echo secret')

    expect(statSync(socket).mode & 0o777).toBe(0o600)
    const kept = readdirSync(folder).filter((name) => name.startsWith('kando-'))
    expect(kept).toHaveLength(1)
    expect(statSync(join(folder, kept[0] ?? '')).mode & 0o777).toBe(0o700)
    const files = readdirSync(join(folder, kept[0] ?? '')).sort()
    expect(files).toEqual(['kando.0.stderr', 'kando.0.stdout'])
    for (const file of files) expect(statSync(join(folder, kept[0] ?? '', file)).mode & 0o777).toBe(0o600)
  })

  test('ends what it started, and leaves neither socket nor files', async () => {
    const server = await serve()
    const pids = join(folder, 'pids')
    await create(`sleep 100 & echo $! > ${pids}; echo $$ >> ${pids}; wait`)
    await create(`trap "" TERM; echo $$ >> ${pids}; touch ${folder}/trapped; while :; do sleep 0.05; done`)
    await waitFor(
      'both to run',
      () => existsSync(join(folder, 'trapped')) && readFileSync(pids, 'utf8').split('\n').length === 4,
    )

    server.kill('SIGTERM')

    expect(await new Promise((done) => server.once('exit', done))).toBe(0)
    for (const pid of readFileSync(pids, 'utf8').trim().split('\n'))
      await waitFor(`the end of ${pid}`, () => !existsSync(`/proc/${pid}`))
    expect(readdirSync(folder).sort()).toEqual(['pids', 'trapped'])
  })

  test('takes the place of a server that was killed, not of one that lives, nor of another file', async () => {
    const first = await serve()
    expect(await ended(start(['process', 'server', '-a', socket]))).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('another server listens'),
    })
    await endOf(first)
    expect(existsSync(socket)).toBe(true)

    start(['process', 'server', '-a', socket])

    await waitFor('the new server', async () => (await client('list')).code === 0)
    const file = join(folder, 'file')
    writeFileSync(file, 'of somebody')
    expect(await ended(start(['process', 'server', '-a', file]))).toMatchObject({
      code: 69,
      stderr: expect.stringContaining('is not a socket'),
    })
    expect(readFileSync(file, 'utf8')).toBe('of somebody')
  })

  test('says what is printed on stderr when asked to, and nothing otherwise', async () => {
    const server = await serve(['-v', 'info'])
    let said = ''
    server.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await client('execute', '-q', 'echo', 'hello')

    await waitFor('the end to be said', () => said.includes('"msg":"ended"'))

    const lines = said
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.find(({ msg }) => msg === 'output')).toMatchObject({ level: 'info', stream: 'stdout', text: 'hello\n' })
  })
})

function residentMb({ pid }: ChildProcess): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
}
