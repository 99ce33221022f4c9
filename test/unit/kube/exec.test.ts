import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createExec } from '../../../src/kube/exec/create-exec.ts'
import type { KubeExec } from '../../../src/kube/exec/exec.ts'
import { FakeApi, sendJson, until } from './fake-api.ts'

const target = { namespace: 'ns', pod: 'p', container: 'c' }

let api: FakeApi
let exec: KubeExec

beforeEach(async () => {
  api = await FakeApi.start()
  exec = createExec(api.client(), { pingMs: 20 })
})

afterEach(async () => {
  await api[Symbol.asyncDispose]()
})

async function read(stdout: AsyncIterable<Buffer>): Promise<string> {
  let text = ''
  for await (const chunk of stdout) text += chunk.toString('latin1')
  return text
}

async function* pieces(count: number, size: number): AsyncGenerator<Buffer> {
  const piece = Buffer.alloc(size, 'x')
  for (let i = 0; i < count; i++) yield piece
}

describe('the output of a command', () => {
  it('arrives whole, without the words of the wrapper, with length and hash', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout('hello ')
      await remote.stdout('world')
      await remote.end(0)
    }

    const stream = await exec.stream(target, ['echo', 'x'], { sha256: true })

    expect(await read(stream.stdout)).toBe('hello world')
    expect(await stream.result).toMatchObject({
      exitCode: 0,
      stdoutBytes: 11,
      stdoutSha256: createHash('sha256').update('hello world').digest('hex'),
      integrity: 'verified',
    })
    expect(stream.remotePid).toBe(42)
  })

  it('is acknowledged only after the end marker', async () => {
    let early = ''
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout('data')
      early = remote.stdin.toString()
      await remote.end(0)
    }

    const stream = await exec.stream(target, ['true'])
    await read(stream.stdout)

    expect(early).toBe('')
    expect(api.execs[0]?.stdin.toString()).toBe('ok\n')
  })

  it('whose tail was dropped before a Success is a failure', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout(Buffer.alloc(1 << 20))
      await remote.status(0)
    }

    const stream = await exec.stream(target, ['pg_dump'])

    await expect(read(stream.stdout)).rejects.toMatchObject({ code: 'KUBE_EXEC_OUTPUT_LOST' })
    await expect(stream.result).rejects.toMatchObject({ code: 'KUBE_EXEC_OUTPUT_LOST' })
  })

  it('may have its end marker cut anywhere by frames', async () => {
    for (let cut = 1; cut < 36; cut++) {
      api.exec = async (remote) => {
        await remote.greet()
        const last = `data${remote.marker(0)}`
        await remote.stdout(last.slice(0, cut + 3))
        await remote.stdout(last.slice(cut + 3))
        await until(() => remote.stdin.includes('ok\n'))
        await remote.status(0)
      }

      const stream = await exec.stream(target, ['x'])

      expect(await read(stream.stdout)).toBe('data')
    }
  })

  it('ends with an error when the command fails, and the result says how', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout('half a dump')
      await remote.stderr('pg_dump: error: no such table\n')
      await remote.end(3)
    }

    const stream = await exec.stream(target, ['pg_dump'])

    await expect(read(stream.stdout)).rejects.toMatchObject({
      code: 'KUBE_EXEC_FAILED',
      message: expect.stringContaining('command terminated with exit code 3: pg_dump: error: no such table') as string,
    })
    expect(await stream.result).toMatchObject({ exitCode: 3, stdoutBytes: 11 })
  })

  it('that a process left behind goes on to write fails a stream and is dropped from a capture', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout('ready')
      await remote.stdout(`${remote.marker(0)}late`)
      await until(() => remote.stdin.includes('ok\n'))
      await remote.status(0)
    }

    const stream = await exec.stream(target, ['start-daemon'])
    const captured = await exec.capture(target, ['start-daemon'])

    await expect(read(stream.stdout)).rejects.toMatchObject({ code: 'KUBE_EXEC_OUTPUT_LOST' })
    expect(captured).toMatchObject({ exitCode: 0, stdout: 'ready' })
  })

  it('of 200 MB into a slow reader never piles up', async () => {
    const total = 200_000_000
    const frame = Buffer.alloc(32 << 10, 1)
    api.exec = async (remote) => {
      await remote.greet()
      while (remote.sentBytes < total && !remote.closed) await remote.stdout(frame)
      await remote.end(0)
    }

    const stream = await exec.stream(target, ['cat'])
    let got = 0
    let ahead = 0
    let turn = 0
    for await (const chunk of stream.stdout) {
      got += (chunk as Buffer).length
      ahead = Math.max(ahead, (api.execs[0]?.sentBytes ?? 0) - got)
      if (++turn % 512 === 0) await delay(5)
    }

    expect(got).toBeGreaterThanOrEqual(total)
    expect(ahead).toBeLessThan(16 << 20)
  })
})

describe('a broken connection', () => {
  it('is an error in the middle of the output', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout('half')
      remote.cut()
    }

    const stream = await exec.stream(target, ['x'])

    await expect(read(stream.stdout)).rejects.toMatchObject({ code: 'KUBE_EXEC_LOST' })
    await expect(stream.result).rejects.toMatchObject({ code: 'KUBE_EXEC_LOST' })
  })

  it('is noticed when the other side just falls silent', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      remote.socket.pause() // answers no ping any more
    }

    await expect(exec.capture(target, ['x'])).rejects.toMatchObject({
      code: 'KUBE_EXEC_LOST',
      message: expect.stringContaining('no answer to 3 pings') as string,
    })
  })

  it('that closes in order but without a status is an error too', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      remote.socket.close(1000)
    }

    await expect(exec.capture(target, ['x'])).rejects.toMatchObject({ code: 'KUBE_EXEC_LOST' })
  })

  it('after the end marker changes nothing', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout(`all${remote.marker(0)}`)
      await until(() => remote.stdin.includes('ok\n'))
      remote.cut()
    }

    expect(await exec.capture(target, ['x'])).toMatchObject({ exitCode: 0, stdout: 'all', integrity: 'verified' })
  })
})

describe('stdin', () => {
  it('is delivered in blocks and closed, and the result is still read', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await until(() => remote.stdin.includes('end\n'))
      await remote.stdout('digest')
      await remote.end(0)
    }

    const result = await exec.capture(target, ['sha256sum'], { stdin: pieces(3, 10) })

    expect(result).toMatchObject({ exitCode: 0, stdout: 'digest', stdinBytes: 30, stdinEnded: true })
    expect(api.execs[0]?.stdin.toString()).toBe(`30\n${'x'.repeat(30)}end\nok\n`)
  })

  it('works with a server that knows v4 only', async () => {
    api.protocols = ['v4.channel.k8s.io']
    api.exec = async (remote) => {
      await remote.greet()
      await until(() => remote.stdin.includes('end\n'))
      await remote.end(0)
    }

    expect(await exec.capture(target, ['cat'], { stdin: pieces(1, 5) })).toMatchObject({ exitCode: 0, stdinEnded: true })
  })

  it('goes raw with a half-close where the container has no usable dd', async () => {
    api.exec = async (remote) => {
      await remote.greet('r')
      await until(() => remote.stdinClosed)
      await remote.stdout(`got ${remote.stdin.toString()}${remote.marker(0)}`)
      await remote.status(0)
    }

    const result = await exec.capture(target, ['cat'], { stdin: pieces(1, 5) })

    expect(result).toMatchObject({ stdout: 'got xxxxx', stdinEnded: true, integrity: 'verified' })
  })

  it('that nobody reads holds its source back', async () => {
    let made = 0
    async function* source(): AsyncGenerator<Buffer> {
      for await (const piece of pieces(3_000, 64 << 10)) {
        made += piece.length
        yield piece
      }
    }
    let ahead = 0
    api.exec = async (remote) => {
      await remote.greet()
      remote.countOnly = true
      for (let turn = 0; made < 3_000 * (64 << 10); turn++) {
        remote.socket.pause()
        await delay(5)
        ahead = Math.max(ahead, made - remote.stdinBytes)
        remote.socket.resume()
        await delay(1)
      }
      remote.countOnly = false
      await until(() => remote.stdin.includes('end\n'))
      await remote.end(0)
    }

    const result = await exec.capture(target, ['cat'], { stdin: source() })

    expect(result.stdinBytes).toBe(3_000 * (64 << 10))
    expect(ahead).toBeLessThan(32 << 20)
  })

  it('whose source fails never looks complete: no end is sent and the command is ended', async () => {
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.from('part')
      await Promise.resolve()
      throw new Error('the bucket is gone')
    }
    api.exec = async (remote) => {
      await remote.greet()
      await until(() => remote.stdin.includes('kill\n'))
      await remote.stdout(remote.marker(143))
    }

    await expect(exec.capture(target, ['psql'], { stdin: source() })).rejects.toMatchObject({
      code: 'KUBE_EXEC_INPUT',
      message: expect.stringContaining('the bucket is gone') as string,
    })
    expect(api.execs[0]?.stdin.toString()).not.toContain('end\n')
  })

  it('left over when the command ends early is not waited for', async () => {
    async function* endless(): AsyncGenerator<Buffer> {
      yield Buffer.from('first')
      await new Promise(() => undefined)
    }
    api.exec = async (remote) => {
      await remote.greet()
      await until(() => remote.stdin.includes('first'))
      await remote.end(0)
    }

    expect(await exec.capture(target, ['head', '-n1'], { stdin: endless() })).toMatchObject({ exitCode: 0, stdinEnded: false })
  })
})

describe('cancelling', () => {
  it('ends the remote process and rejects with the reason', async () => {
    const abort = new AbortController()
    const reason = new Error('cancelled by the user')
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout('it runs\n')
      await until(() => remote.stdin.includes('kill\n'))
      await remote.stdout(remote.marker(143))
    }
    const onStdout = (): void => abort.abort(reason)

    await expect(exec.capture(target, ['sleep', '1000'], { signal: abort.signal, onStdout })).rejects.toBe(reason)
    expect(api.execs[0]?.stdin.toString()).toBe('kill\n')
  })

  it('happens by itself when the time is over', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await until(() => remote.stdin.includes('kill\n'))
      await remote.stdout(remote.marker(143))
    }

    await expect(exec.capture(target, ['sleep', '1000'], { timeoutMs: 50 })).rejects.toMatchObject({ code: 'KUBE_TIMEOUT' })
  })

  it('follows when the reader gives up', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      while (!remote.stdin.includes('kill\n')) await remote.stdout(Buffer.alloc(32 << 10))
      await remote.stdout(remote.marker(143))
    }

    const stream = await exec.stream(target, ['cat', '/dev/zero'])
    for await (const _ of stream.stdout) break

    await expect(stream.result).rejects.toMatchObject({ code: 'KUBE_EXEC_LOST' })
    expect(api.execs[0]?.stdin.toString()).toContain('kill\n')
  })

  it('goes by a second exec when the wrapper does not hear', async () => {
    const abort = new AbortController()
    api.exec = async (remote) => {
      if (remote.command[2]?.startsWith('kill')) {
        await remote.status(0)
        api.execs[0]?.cut()
        return
      }
      await remote.greet()
      await remote.stdout('it runs\n')
    }
    const options = { stdin: pieces(1, 1), signal: abort.signal, onStdout: () => abort.abort(new Error('stop')) }

    await expect(exec.capture(target, ['psql'], options)).rejects.toThrow('stop')
    expect(api.execs[1]?.command.slice(3)).toEqual(['sh', '42', '3'])
  })
})

describe('starting', () => {
  it('can be given up before the container answers', async () => {
    api.exec = () => undefined

    await expect(exec.capture(target, ['x'], { signal: AbortSignal.timeout(20) })).rejects.toThrow('timeout')
    await expect(exec.capture(target, ['x'], { connectTimeoutMs: 20 })).rejects.toMatchObject({ code: 'KUBE_TIMEOUT' })
    await until(() => api.execs.every((remote) => remote.closed))
  })

  it('keeps argv out of the URL', async () => {
    api.exec = async (remote) => {
      await remote.greet()
      await remote.end(0)
    }

    await exec.capture(target, ['sh', '-c', "echo 'top\nsecret'"])

    expect(api.execs[0]?.query.toString()).not.toContain('secret')
    expect(api.execs[0]?.preamble).toContain(`set -- 'sh' '-c' 'echo '\\''top'"$_hf_n"'secret'\\'''`)
  })

  it('falls back to the plain form without sh, and says so', async () => {
    const noShell = {
      status: 'Failure',
      reason: 'InternalError',
      message: 'exec: "sh": executable file not found in $PATH: unknown',
    }
    api.exec = async (remote) => {
      if (remote.command[0] === 'sh') return await remote.rawStatus(noShell)
      await remote.stdout('plain')
      await remote.status(5)
    }

    const result = await exec.capture(target, ['/app', 'dump'])

    expect(api.execs[1]?.command).toEqual(['/app', 'dump'])
    expect(result).toMatchObject({ exitCode: 5, stdout: 'plain', integrity: 'unverified' })
  })

  it.each([
    [
      403,
      'KUBE_FORBIDDEN',
      'pods "p" is forbidden: User "u" cannot create resource "pods/exec" in API group "" in the namespace "ns"',
    ],
    [404, 'KUBE_NOT_FOUND', 'pods "p" not found'],
    [500, 'KUBE_SERVER', 'container not found ("c")'],
  ])('that is refused with %i is %s in the words of the server', async (code, expected, message) => {
    api.refuse = { code, message }

    await expect(exec.capture(target, ['x'])).rejects.toMatchObject({
      code: expected,
      message: expect.stringContaining(message) as string,
    })
  })

  it('that the node cannot do is told with the reason; one that a lost or new kubelet refused is tried again', async () => {
    const messages = [
      'error dialing backend: dial tcp 10.0.0.1:10250: connect: connection refused',
      'unable to upgrade connection: pod does not exist',
      'error sending request: Post "https://10.0.0.1:10250/exec/n/p/c?command=sh&command=-c&command=_hf%0A&input=1": unexpected EOF',
      'container not found ("c")',
    ]
    api.exec = async (remote) =>
      await remote.rawStatus({ status: 'Failure', reason: 'InternalError', message: messages.shift() })

    await expect(exec.capture(target, ['x'])).rejects.toMatchObject({
      code: 'KUBE_EXEC_REFUSED',
      next: 'stop',
      message: expect.stringContaining('container not found') as string,
    })
    expect(messages).toEqual([])
  })

  it('takes the default container of the pod', async () => {
    api.answer = (_request, response) =>
      sendJson(response, {
        metadata: { name: 'p', annotations: { 'kubectl.kubernetes.io/default-container': 'db' } },
        spec: { containers: [{ name: 'sidecar' }, { name: 'db' }] },
      })
    api.exec = async (remote) => {
      await remote.greet()
      await remote.end(0)
    }

    await exec.capture({ namespace: 'ns', pod: 'p' }, ['true'])

    expect(api.execs[0]?.query.get('container')).toBe('db')
  })

  it('refuses what no argv can hold', async () => {
    await expect(exec.capture(target, [])).rejects.toMatchObject({ code: 'KUBE_EXEC_REFUSED' })
    await expect(exec.capture(target, ['a\0b'])).rejects.toMatchObject({ code: 'KUBE_EXEC_REFUSED' })
  })
})

describe('frames', () => {
  it('that announce closed channels or hold nothing are passed over', async () => {
    api.exec = async (remote) => {
      remote.socket.send(Buffer.from([1]))
      await remote.greet()
      await remote.stdout('a')
      remote.socket.send(Buffer.from([255, 1]))
      remote.socket.send(Buffer.alloc(0))
      await remote.end(0)
    }

    expect(await exec.capture(target, ['x'])).toMatchObject({ exitCode: 0, stdout: 'a' })
  })

  it('of stderr come as lines, and only their tail is kept', async () => {
    const lines: string[] = []
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stderr('first\nsec')
      await remote.stderr('ond\n')
      for (let i = 0; i < 100; i++) await remote.stderr(`${'y'.repeat(9_999)}\n`)
      await remote.end(0)
    }

    const result = await exec.capture(target, ['x'], { onStderr: (line) => lines.push(line) })

    expect(lines.slice(0, 2)).toEqual(['first', 'second'])
    expect(lines).toHaveLength(102)
    expect(result.stderrBytes).toBe(1_000_013)
    expect(result.stderrTail).toHaveLength(64 << 10)
  })

  it('of stdout come as lines whatever their length, and only the tail is kept', async () => {
    const lines: string[] = []
    api.exec = async (remote) => {
      await remote.greet()
      await remote.stdout(`${'z'.repeat(200_000)}\nlast`)
      await remote.end(1)
    }

    const result = await exec.capture(target, ['x'], { onStdout: (line) => lines.push(line), tailBytes: 10 })

    expect(lines.map((line) => line.length)).toEqual([200_000, 4])
    expect(result).toMatchObject({ exitCode: 1, stdout: 'zzzzz\nlast', truncated: true, stdoutBytes: 200_005 })
  })
})
