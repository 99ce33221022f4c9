import {
  Client,
  type ClientReadableStream,
  type GrpcObject,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type ServiceError,
  credentials,
  loadPackageDefinition,
} from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectProcesses } from '../../../src/main/kando/process/connect.ts'
import { createProcesses } from '../../../src/main/kando/process/create-processes.ts'
import { createProcessRequest, outputMessage, processMessage } from '../../../src/main/kando/process/wire.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

// The other side here knows the .proto file alone and speaks it by gRPC's own library, as Kanister's does.
const proto = loadSync(resolve(import.meta.dirname, '../../../src/main/kando/process/process-service.proto'), {
  keepCase: true,
  longs: Number,
  enums: String,
  defaults: true,
})
const Service = (loadPackageDefinition(proto)['kanx'] as GrpcObject)['ProcessService'] as ServiceClientConstructor

let folder: string
let socket: string
let stop: AbortController
let signal: AbortSignal
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-wire-'))
  socket = join(folder, 'kando.sock')
  stop = new AbortController()
  signal = AbortSignal.timeout(60_000)
})
afterEach(() => {
  rmSync(folder, { recursive: true, force: true })
})

type Call = (request: object, done: (error: ServiceError | null, answer: unknown) => void) => void
type StreamCall = (request: object) => ClientReadableStream<unknown>

function ask(client: Client, name: string, request: object): Promise<unknown> {
  const call = (client as unknown as Record<string, Call>)[name]
  return new Promise((done, reject) => call?.bind(client)(request, (error, answer) => (error ? reject(error) : done(answer))))
}

async function streamOf(client: Client, name: string, request: object): Promise<unknown[]> {
  const call = (client as unknown as Record<string, StreamCall>)[name]
  const pieces: unknown[] = []
  for await (const piece of call?.bind(client)(request) ?? []) pieces.push(piece)
  return pieces
}

test('our server answers a client that was made from the proto', async () => {
  const served = createProcesses().serve(socket, { log: () => {}, signal: stop.signal })
  const client = new Service(`unix:${socket}`, credentials.createInsecure())
  await new Promise<void>((done, reject) =>
    client.waitForReady(Date.now() + 20_000, (error) => (error ? reject(error) : done())),
  )

  const { pid, ...rest } = (await ask(client, 'CreateProcess', {
    name: 'sh',
    args: ['-c', 'echo "$1"; echo "" >&2; exit 4', 'x', 'é'],
  })) as { pid: number }

  expect(pid).toBeGreaterThan(1)
  expect(rest).toEqual({ state: 'PROCESS_STATE_RUNNING', exitCode: 0, exitErr: '' })
  expect(await streamOf(client, 'Stdout', { pid })).toEqual([{ output: 'é\n' }])
  expect(await streamOf(client, 'Stderr', { pid })).toEqual([{ output: '\n' }])
  const failed = { pid, state: 'PROCESS_STATE_FAILED', exitCode: 4, exitErr: 'exit status 4' }
  expect(await ask(client, 'GetProcess', { pid })).toEqual(failed)
  expect(await streamOf(client, 'ListProcesses', {})).toEqual([failed])
  await expect(ask(client, 'GetProcess', { pid: -1 })).rejects.toMatchObject({
    code: 2,
    details: expect.stringContaining('-1'),
  })
  const endless = (await ask(client, 'CreateProcess', { name: 'sleep', args: ['100'] })) as { pid: number }
  expect(await ask(client, 'SignalProcess', { pid: endless.pid, signal: 9 })).toMatchObject({ pid: endless.pid })
  await streamOf(client, 'Stdout', { pid: endless.pid })
  await waitFor(
    'its end',
    async () => ((await ask(client, 'GetProcess', { pid: endless.pid })) as { exitCode: number }).exitCode,
  )
  expect(await ask(client, 'GetProcess', { pid: endless.pid })).toMatchObject({ exitCode: -1, exitErr: 'signal: killed' })
  client.close()
  stop.abort()
  await served
})

describe('our client', () => {
  const seen: object[] = []
  let server: Server
  beforeEach(async () => {
    seen.length = 0
    server = new Server()
    const process = { pid: 2 ** 40, state: 'PROCESS_STATE_FAILED', exitCode: -1, exitErr: 'signal: é' }
    const unary = ({ request }: { request: object }, done: (error: null, answer: object) => void): void => {
      seen.push(request)
      done(null, process)
    }
    const pieces = (values: readonly object[]) => (call: { request: object; write(value: object): void; end(): void }) => {
      seen.push(call.request)
      for (const value of values) call.write(value)
      call.end()
    }
    server.addService(Service.service, {
      CreateProcess: unary,
      GetProcess: unary,
      SignalProcess: unary,
      ListProcesses: pieces([process, {}]),
      // As large as Kanister's get.
      Stdout: pieces([{ output: 'x'.repeat(2 << 20) }, { output: '' }, { output: 'é' }]),
      Stderr: pieces([]),
    })
    await new Promise<void>((done, reject) =>
      server.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => (error ? reject(error) : done())),
    )
  })
  afterEach(() => server.forceShutdown())

  test('speaks to a server that was made from the proto', async () => {
    using client = await createProcesses().connect(socket)
    const process = { pid: 2 ** 40, state: 'PROCESS_STATE_FAILED', exitCode: -1, exitErr: 'signal: é' }

    expect(await client.create('é', ['', 'b'], signal)).toEqual(process)
    expect(await client.get(7, signal)).toEqual(process)
    expect(await client.signal(7, 15, signal)).toEqual(process)
    const listed = await Array.fromAsync(client.list(signal))
    const out = await Array.fromAsync(client.follow(7, 'stdout', signal))

    expect(listed).toEqual([process, { pid: 0, state: 'PROCESS_STATE_UNSPECIFIED', exitCode: 0, exitErr: '' }])
    expect(Buffer.concat(out).length).toBe((2 << 20) + 2)
    expect(await Array.fromAsync(client.follow(8, 'stderr', signal))).toEqual([])
    expect(seen).toEqual([{ name: 'é', args: ['', 'b'] }, { pid: 7 }, { pid: 7, signal: 15 }, {}, { pid: 7 }, { pid: 8 }])
  })
})

test('our client does not hang on a socket where somebody else speaks', async () => {
  const other = createServer((connection) => connection.resume().end('hello\n'))
  await new Promise<void>((done) => other.listen(socket, done))
  const client = await connectProcesses(socket, 300)

  await expect(client.get(1, signal)).rejects.toMatchObject({ code: 'CLI_PROCESS_SERVER' })
  await expect(Array.fromAsync(client.list(signal))).rejects.toMatchObject({ code: 'CLI_PROCESS_SERVER' })

  client[Symbol.dispose]()
  await new Promise((done) => other.close(done))
})

describe('messages', () => {
  test('fields that are not known are passed over, those of old kinds too', () => {
    const known = processMessage.encode({ pid: 300, state: 'PROCESS_STATE_RUNNING', exitCode: 0, exitErr: '' })
    const unknown = Buffer.from([0x78, 0x05, 0x7a, 0x02, 0x61, 0x62, 0x79, 1, 2, 3, 4, 5, 6, 7, 8, 0x7d, 1, 2, 3, 4])

    expect(processMessage.decode(Buffer.concat([unknown, known, unknown]))).toMatchObject({ pid: 300 })
  })

  test('bytes that are no message are refused', () => {
    for (const bytes of [[0x0a], [0x0a, 5, 1], [0x80], [0x08, ...Array(11).fill(0xff)], [0x0b], [0x09, 1]])
      expect(() => createProcessRequest.decode(Buffer.from(bytes)), String(bytes)).toThrow(/message/)
    expect(() => outputMessage.decode(Buffer.from([0x08, 1]))).toThrow(/message/)
    expect(() => processMessage.decode(Buffer.from([0x0a, 1, 1]))).toThrow(/message/)
  })

  test('output keeps every byte', () => {
    const bytes = Buffer.from(Array.from({ length: 256 }, (_, at) => at))

    expect(Buffer.from(outputMessage.decode(outputMessage.encode(bytes))).equals(bytes)).toBe(true)
  })
})
