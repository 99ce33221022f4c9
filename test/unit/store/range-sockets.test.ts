import { randomBytes } from 'node:crypto'
import { type RequestListener, type Server, createServer } from 'node:http'
import { type AddressInfo, type Socket, createServer as createTcpServer } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { RangeSockets, type SignedRequest } from '../../../src/store/s3/range-sockets.ts'
import { defaultTiming } from '../../../src/store/timing.ts'

const body = randomBytes(3_000_000)
const closers: Array<() => void> = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

function open(timing: Partial<typeof defaultTiming> = {}): RangeSockets {
  const settings = { bucket: 'b', credentials: { accessKeyId: 'a', secretAccessKey: 's' } }
  const sockets = new RangeSockets(settings, { ...defaultTiming, ...timing })
  closers.push(() => sockets.close())
  return sockets
}

async function serve(listener: RequestListener): Promise<{ readonly server: Server; readonly request: SignedRequest }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => server.close().closeAllConnections())
  return { server, request: requestTo((server.address() as AddressInfo).port) }
}

function requestTo(port: number): SignedRequest {
  const query = { 'x-id': 'GetObject', odd: 'a b&c' }
  return {
    protocol: 'http:',
    hostname: '127.0.0.1',
    port,
    path: '/b/k%20k',
    query,
    headers: { host: `127.0.0.1:${port}`, a: 'b' },
  }
}

/** Answers each request with the next of these bytes, in pieces of one byte where `slowly`. */
async function answerRaw(answer: string, slowly = false): Promise<SignedRequest> {
  const sockets: Socket[] = []
  const server = createTcpServer((socket) => {
    sockets.push(socket.setNoDelay(true))
    socket.on('error', () => undefined)
    socket.on('data', () => void send(socket, answer, slowly))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closers.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return requestTo((server.address() as AddressInfo).port)
}

async function send(socket: Socket, answer: string, slowly: boolean): Promise<void> {
  if (!slowly) return void socket.write(answer, 'latin1')
  for (const char of answer) await new Promise((resolve) => socket.write(char, 'latin1', resolve))
}

const never = new AbortController().signal
const take = (sizeBytes: number): Uint8Array => Buffer.alloc(sizeBytes)

test('bodies land in the given memory, one after the other on one connection', async () => {
  const seen: Array<string | undefined> = []
  const { server, request } = await serve((incoming, outgoing) => {
    seen.push(incoming.url, incoming.headers['a'] as string)
    outgoing.writeHead(206, { 'content-length': body.length }).end(body)
  })
  let connections = 0
  server.on('connection', () => connections++)
  const sockets = open()
  const target = Buffer.alloc(body.length)

  const first = await sockets.get(request, () => target, never)
  const second = await sockets.get(request, take, never)

  expect(first).toBe(target)
  expect(target.equals(body)).toBe(true)
  expect(body.equals(second)).toBe(true)
  expect(seen.slice(0, 2)).toEqual(['/b/k%20k?x-id=GetObject&odd=a%20b%26c', 'b'])
  expect(connections).toBe(1)
})

test('a kept connection that the server has closed is replaced', async () => {
  const { server, request } = await serve((_incoming, outgoing) => outgoing.setHeader('content-length', 2).end('ok'))
  const sockets = open()
  await sockets.get(request, take, never)
  server.closeAllConnections()

  expect(Buffer.from(await sockets.get(request, take, never)).toString()).toBe('ok')
})

test('a head in pieces, an empty body and a connection that is not kept are read', async () => {
  const slow = await answerRaw('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello', true)
  const empty = await answerRaw('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  const sockets = open()

  expect(Buffer.from(await sockets.get(slow, take, never)).toString()).toBe('hello')
  expect(Buffer.from(await sockets.get(slow, take, never)).toString()).toBe('hello')
  expect((await sockets.get(empty, take, never)).length).toBe(0)
})

test.each([
  ['an error', 'HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'],
  ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  ['more than was announced', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello'],
  ['another protocol', '\u0015\u0003\u0001\u0000\u0002\u0002\r\n\r\n'],
  ['a head without an end', `HTTP/1.1 200 OK\r\n${'a: b\r\n'.repeat(10_000)}`],
])('what is answered by %s is left to a client that knows all of HTTP', async (_name, answer) => {
  await expect(open().get(await answerRaw(answer), take, never)).rejects.toThrow()
})

test('a connection on which nothing comes ends, and an abort ends it at once', async () => {
  const { request } = await serve(() => undefined)
  const own = new AbortController()
  const early = open().get(request, take, AbortSignal.abort(new Error('shutdown')))
  const reading = open().get(request, take, own.signal)
  setImmediate(() => own.abort(new Error('shutdown')))

  await expect(early).rejects.toThrow('shutdown')
  await expect(reading).rejects.toThrow()
  await expect(open({ idleMs: 30 }).get(request, take, never)).rejects.toThrow('closed')
})
