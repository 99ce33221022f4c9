import { createHash } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ChannelSocket } from '../../../src/kube/channel-socket.ts'
import { createExec } from '../../../src/kube/exec/create-exec.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { aPod, useKube } from './kube-fixture.ts'

const world = useWorld()
const namespace = useNamespace(world)
const kube = useKube(world)
const target = { namespace, pod: 'p', container: 'c' }

beforeAll(async () => {
  const image = await world().image('debian')
  await kube()
    .resource(kinds.pods)
    .create(aPod(namespace, 'p', image, ['sleep', 'infinity']))
  await kube().pods.waitReady({ namespace, name: 'p' })
})

async function processes(): Promise<string> {
  const script = 'for i in /proc/[0-9]*; do tr "\\0\\n" "  " < $i/cmdline; echo; done'
  return (await kube().exec.capture(target, ['sh', '-c', script], { form: 'plain' })).stdout
}

async function* repeat(block: Buffer, times: number): AsyncGenerator<Buffer> {
  for (let i = 0; i < times; i++) yield block
}

describe('exec on a real node', () => {
  it('runs a command and tells its output and exit code', async () => {
    const result = await kube().exec.capture(target, ['sh', '-c', 'echo out; echo err >&2; exit 3'])

    expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderrTail: 'err\n', integrity: 'verified' })
  })

  it('delivers every byte to a reader that is far slower than the command', async () => {
    const stream = await kube().exec.stream(target, ['head', '-c', '100000000', '/dev/zero'])
    let got = 0
    const startMs = Date.now()
    for await (const chunk of stream.stdout) {
      got += (chunk as Buffer).length
      const aheadMs = got / 7_000 - (Date.now() - startMs)
      if (aheadMs > 0) await delay(aheadMs)
    }

    expect(got).toBe(100_000_000)
    expect(await stream.result).toMatchObject({ exitCode: 0, stdoutBytes: 100_000_000, integrity: 'verified' })
  })

  it('feeds a command and reads its result after the end of its input', async () => {
    const block = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 31) % 256))
    const digest = createHash('sha256')
    for (let i = 0; i < 50; i++) digest.update(block)

    const result = await kube().exec.capture(target, ['sh', '-c', 'cat | sha256sum'], { stdin: repeat(block, 50) })

    expect(result.stdout).toBe(`${digest.digest('hex')}  -\n`)
    expect(result).toMatchObject({ exitCode: 0, stdinBytes: 50 << 20, stdinEnded: true })
  })

  it('gives back through stdin what came from stdout', async () => {
    const random = await kube().exec.stream(target, ['head', '-c', '5000000', '/dev/urandom'], { sha256: true })

    const back = await kube().exec.capture(target, ['sha256sum'], { stdin: random.stdout })

    expect(back.stdout).toBe(`${(await random.result).stdoutSha256}  -\n`)
  })

  it.each([
    ['prints', undefined],
    ['does not read its input', repeat(Buffer.alloc(1 << 20), 64)],
  ])('ends the remote process when it is cancelled, also one that %s', async (what, stdin) => {
    const name = `sleep 98${what.length}`
    const abort = new AbortController()
    const running = kube().exec.capture(target, ['sh', '-c', `echo up; ${name}; echo done`], {
      stdin,
      signal: abort.signal,
      onStdout: () => abort.abort(new Error('enough')),
    })

    await expect(running).rejects.toThrow('enough')

    await expect.poll(processes, { interval: 500 }).not.toMatch(new RegExp(`^${name}`, 'm'))
  })

  it('leaves nothing behind in the container when the connection is cut', async () => {
    const sockets: ChannelSocket[] = []
    const { client } = kube()
    const webSocket: typeof client.webSocket = async (...call) => {
      const socket = await client.webSocket(...call)
      sockets.push(socket)
      return socket
    }
    const exec = createExec({ ...client, webSocket })
    const stream = await exec.stream(target, ['sh', '-c', 'sleep 777; echo; sleep 777'])

    for (const socket of sockets) socket.terminate()

    await expect(stream.result).rejects.toMatchObject({ code: 'KUBE_EXEC_LOST' })
    await expect.poll(processes, { timeout: 60_000, interval: 500 }).not.toMatch(/sleep 777|_hf_k/)
  })

  it('takes a command for alive that is quiet, or slow to read its input', async () => {
    const exec = createExec(kube().client, { pingMs: 1_000 })

    const quiet = await exec.capture(target, ['sleep', '7'])
    const slow = await exec.capture(target, ['sh', '-c', 'sleep 7; wc -c'], { stdin: repeat(Buffer.alloc(1 << 20), 32) })

    expect(quiet.exitCode).toBe(0)
    expect(slow.stdout).toBe(`${32 << 20}\n`)
  })

  it('says what is missing: pod, container, program', async () => {
    const { exec } = kube()

    await expect(exec.capture({ ...target, pod: 'nobody' }, ['x'])).rejects.toMatchObject({
      code: 'KUBE_NOT_FOUND',
      message: 'pods "nobody" not found',
    })
    await expect(exec.capture({ ...target, container: 'none' }, ['x'])).rejects.toMatchObject({ code: 'KUBE_INVALID' })
    expect(await exec.capture(target, ['no-such-program'])).toMatchObject({ exitCode: 127 })
  })
})

it('a container without sh gets the plain form', async () => {
  const image = await world().image('debian')
  const spec = { containers: [{ name: 'c', image, command: ['sleep', 'infinity'], env: [{ name: 'PATH', value: '/empty' }] }] }
  // Without a PATH to sh the runtime answers as it does for an image that has none.
  spec.containers[0] = { ...spec.containers[0], command: ['/usr/bin/sleep', 'infinity'] } as (typeof spec.containers)[0]
  await kube()
    .resource(kinds.pods)
    .create(aPod(namespace, 'bare', image, [], spec))
  await kube().pods.waitReady({ namespace, name: 'bare' })

  const result = await kube().exec.capture({ namespace, pod: 'bare' }, ['/usr/bin/seq', '3'])

  expect(result).toMatchObject({ exitCode: 0, stdout: '1\n2\n3\n', integrity: 'unverified' })
})
