import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { type WebSocket, WebSocketServer } from 'ws'
import type { KubeClient } from '../../../src/kube/client.ts'
import { staticCredentials } from '../../../src/kube/credentials.ts'
import { createClient } from '../../../src/kube/http-client.ts'
import { createKube } from '../../../src/kube/open.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { KubeEndpoint } from '../../../src/kube/kubeconfig.ts'

export interface FakeRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

type Answer = (request: FakeRequest, response: ServerResponse) => void | Promise<void>
type ExecScript = (exec: FakeExec) => void | Promise<void>

/** An API server of which a test scripts each answer. Serves plain HTTP on loopback. */
export class FakeApi {
  readonly requests: FakeRequest[] = []
  readonly execs: FakeExec[] = []
  /** How many were opened so far. */
  connections = 0
  answer: Answer = (_request, response) => sendStatus(response, 404, { reason: 'NotFound', message: 'nothing here' })
  exec: ExecScript = () => undefined
  /** Refuses WebSocket handshakes. */
  refuse: { readonly code: number; readonly message: string } | undefined
  protocols: readonly string[] = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
  readonly #server: Server
  readonly #sockets: WebSocketServer

  static async start(): Promise<FakeApi> {
    const api = new FakeApi()
    await new Promise<void>((resolve) => api.#server.listen(0, '127.0.0.1', resolve))
    return api
  }

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
    this.#sockets = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: 32 << 20,
      handleProtocols: (offered) => this.protocols.find((each) => offered.has(each)) ?? false,
    })
    this.#server.on('connection', () => this.connections++)
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head))
  }

  get endpoint(): KubeEndpoint {
    const { port } = this.#server.address() as AddressInfo
    return { server: `http://127.0.0.1:${port}`, namespace: 'default', tls: {}, credentials: staticCredentials('Bearer t') }
  }

  client(): KubeClient {
    return createClient(this.endpoint)
  }

  kube(): Kube {
    return createKube(this.endpoint)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake')
    let text = ''
    for await (const part of request) text += String(part)
    const { method = '', headers } = request
    const body: unknown = text === '' ? undefined : JSON.parse(text)
    const taken = { method, path: url.pathname, query: url.searchParams, headers, body }
    this.requests.push(taken)
    await this.answer(taken, response)
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    if (this.refuse) {
      const body = JSON.stringify({ kind: 'Status', status: 'Failure', code: this.refuse.code, message: this.refuse.message })
      socket.end(`HTTP/1.1 ${this.refuse.code} No\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (ws) => {
      const exec = new FakeExec(ws, new URL(request.url ?? '/', 'http://fake'), socket)
      this.execs.push(exec)
      void this.exec(exec)
    })
  }
}

export function sendJson(response: ServerResponse, body: unknown, code = 200, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

export function sendStatus(response: ServerResponse, code: number, status: object, headers: Record<string, string> = {}): void {
  sendJson(response, { kind: 'Status', status: 'Failure', code, ...status }, code, headers)
}

/** The far end of one exec, which can play our wrapper. */
export class FakeExec {
  readonly command: readonly string[]
  readonly query: URLSearchParams
  /** All of stdin that arrived; when `countOnly`, its newest part. */
  stdin = Buffer.alloc(0)
  stdinBytes = 0
  stdinClosed = false
  closed = false
  countOnly = false
  sentBytes = 0
  readonly socket: WebSocket
  readonly wire: Duplex
  nonce = ''
  preamble = ''

  constructor(socket: WebSocket, url: URL, wire: Duplex) {
    this.socket = socket
    this.wire = wire
    this.query = url.searchParams
    this.command = url.searchParams.getAll('command')
    socket.on('message', (data) => {
      const frame = data as Buffer
      if (frame[0] === 255) this.stdinClosed = true
      if (frame[0] !== 0) return
      this.stdinBytes += frame.length - 1
      this.stdin = Buffer.concat([this.countOnly ? this.stdin.subarray(-16) : this.stdin, frame.subarray(1)])
    })
    socket.on('close', () => (this.closed = true))
    socket.on('error', () => (this.closed = true))
  }

  /** Reads the preamble and says the header. */
  async greet(mode?: string): Promise<void> {
    await until(() => this.stdin.includes(10) || this.closed)
    const end = this.stdin.indexOf(10)
    this.preamble = this.stdin.toString('utf8', 0, end)
    this.stdin = this.stdin.subarray(end + 1)
    this.nonce = /_hf_k=(\w+)/.exec(this.preamble)?.[1] ?? ''
    await this.stdout(`${this.nonce}+42${mode ?? /_hf_m=(\w)/.exec(this.preamble)?.[1]};`)
  }

  async stdout(data: string | Buffer): Promise<void> {
    this.sentBytes += data.length
    await this.#send(1, data)
  }

  async stderr(data: string | Buffer): Promise<void> {
    await this.#send(2, data)
  }

  marker(code: number): string {
    return `${this.nonce}=${code};`
  }

  /** The final Status, then the end of the connection, as the API server does it. */
  async status(code: number): Promise<void> {
    const failure = {
      status: 'Failure',
      reason: 'NonZeroExitCode',
      message: `command terminated with non-zero exit code`,
      details: { causes: [{ reason: 'ExitCode', message: String(code) }] },
    }
    await this.rawStatus(code === 0 ? { status: 'Success' } : failure)
  }

  async rawStatus(status: object): Promise<void> {
    await this.#send(3, JSON.stringify({ metadata: {}, ...status }))
    this.socket.close(1000)
  }

  /** Ends as the wrapper does: marker, wait for the acknowledgement, status. */
  async end(code: number): Promise<void> {
    await this.stdout(this.marker(code))
    await until(() => this.stdin.includes('ok\n') || this.closed)
    await this.status(code)
  }

  cut(): void {
    this.wire.destroy()
  }

  async #send(channel: number, data: string | Buffer): Promise<void> {
    if (this.closed) return
    const bytes = Buffer.from(data)
    await new Promise<void>((resolve) => {
      this.socket.send(Buffer.concat([Buffer.from([channel]), bytes]), () => resolve())
    })
  }
}

/** Waits for a condition, a little less long than a test may take. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 50_000
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`the condition did not come true: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
