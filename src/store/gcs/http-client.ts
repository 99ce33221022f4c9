import { Agent, type IncomingMessage, type RequestOptions, request as plainRequest } from 'node:http'
import { Agent as TlsAgent, request as tlsRequest } from 'node:https'

export interface HttpClientSettings {
  readonly skipSslVerify: boolean
  readonly caPem?: string
  readonly maxConnections: number
  /** Nothing moves for so long before the answer begins: the connection is given up. */
  readonly idleMs: number
}

export interface HttpRequest {
  readonly method: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
  readonly signal: AbortSignal
}

/** Requests over kept connections, with bodies that are sent without a copy. Neither repeats nor follows anything. */
export class HttpClient {
  readonly #settings: HttpClientSettings
  readonly #plain: Agent
  readonly #tls: TlsAgent

  constructor(settings: HttpClientSettings) {
    this.#settings = settings
    // `timeout` is for idle sockets: a store that nobody uses any more holds none.
    const sockets = { keepAlive: true, maxSockets: settings.maxConnections, timeout: 60_000 }
    const { skipSslVerify, caPem } = settings
    this.#plain = new Agent(sockets)
    this.#tls = new TlsAgent({
      ...sockets,
      rejectUnauthorized: !skipSslVerify,
      ...(caPem === undefined ? {} : { ca: caPem }),
    })
  }

  /** Resolves with the answer's head; its body must be consumed or destroyed. */
  async request(url: string, given: HttpRequest): Promise<IncomingMessage> {
    const { method, headers = {}, body = [], signal } = given
    const length = body.reduce((sum, piece) => sum + piece.length, 0)
    const tls = url.startsWith('https:')
    const options: RequestOptions = {
      method,
      agent: tls ? this.#tls : this.#plain,
      headers: { ...headers, ...(method === 'GET' ? {} : { 'content-length': length }) },
      signal,
    }
    return new Promise((resolve, reject) => {
      const request = (tls ? tlsRequest : plainRequest)(url, options)
      request.on('error', reject)
      request.setTimeout(this.#settings.idleMs, () => request.destroy(timedOut(this.#settings.idleMs)))
      request.on('response', (answer) => {
        // From here on whoever reads decides what too slow is.
        request.setTimeout(0)
        resolve(answer)
      })
      for (const piece of body) request.write(piece)
      request.end()
    })
  }

  close(): void {
    this.#plain.destroy()
    this.#tls.destroy()
  }
}

function timedOut(ms: number): Error {
  return Object.assign(new Error(`nothing moved for ${ms / 1000} s`), { code: 'ETIMEDOUT' })
}
