import { type IncomingMessage, type RequestListener, type ServerResponse, createServer, request as send } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

/** A request on its way to the store. */
export interface ProxiedRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
}

export interface Fault {
  readonly when: (request: ProxiedRequest) => boolean
  /** How often it strikes. @default 1 */
  readonly times?: number
  readonly act: FaultAct
}

/** Answer with this S3 error instead of asking the store. */
interface ErrorAnswer {
  readonly answer: number
  readonly code: string
  readonly message?: string
  /** Further XML inside of the error. */
  readonly extra?: string
}

export type FaultAct =
  | ErrorAnswer
  /** Break the connection when so many bytes of the request were read; the store sees none of it. */
  | { readonly resetRequestAfter: number }
  /** Break the connection when so many bytes of the store's answer were passed on. */
  | { readonly resetAnswerAfter: number }
  /** Pass on so many bytes of the answer, then nothing more, without closing. */
  | { readonly stallAnswerAfter: number }
  /** Pass on so many bytes of the answer and end it as if that were all, without a length. */
  | { readonly cutAnswerAfter: number }
  /** Let the store do it, but break the connection instead of answering. */
  | { readonly loseAnswer: true }
  /** Let something happen, then pass the request on. */
  | { readonly meanwhile: () => Promise<void> }

export interface FaultProxy {
  readonly endpoint: string
  /** Every request seen so far. */
  readonly seen: ProxiedRequest[]
  inject(...faults: Fault[]): void
  reset(): void
  stop(): Promise<void>
}

/**
 * An HTTP proxy before a real S3 server that fails as scripted. With a certificate it speaks TLS.
 * Signatures stay valid, since the Host header is passed on.
 */
export async function startFaultProxy(
  target: string,
  tls?: { readonly cert: string; readonly key: string },
): Promise<FaultProxy> {
  const upstream = new URL(target)
  const seen: ProxiedRequest[] = []
  let faults: Array<Fault & { left: number }> = []
  const listener: RequestListener = (incoming, outgoing) => {
    const url = new URL(incoming.url ?? '/', target)
    const proxied = {
      method: incoming.method ?? '',
      path: decodeURIComponent(url.pathname),
      query: url.searchParams,
      headers: incoming.headers,
    }
    seen.push(proxied)
    const fault = faults.find((each) => each.left > 0 && each.when(proxied))
    if (fault) fault.left--
    incoming.on('error', () => {})
    outgoing.on('error', () => {})
    void strike(fault?.act, incoming, outgoing, upstream)
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    inject: (...more) => faults.push(...more.map((fault) => ({ ...fault, left: fault.times ?? 1 }))),
    reset: () => {
      faults = []
      seen.length = 0
    },
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function strike(
  act: FaultAct | undefined,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  upstream: URL,
): Promise<void> {
  if (act && 'answer' in act) return answerError(act, incoming, outgoing)
  if (act && 'resetRequestAfter' in act) return resetRequest(act.resetRequestAfter, incoming)
  if (act && 'meanwhile' in act) await act.meanwhile()
  const options = {
    host: upstream.hostname,
    port: upstream.port,
    method: incoming.method,
    path: incoming.url,
    headers: incoming.headers,
  }
  const forwarded = send({ ...options, agent: false }, (answer) => passOn(act, answer, outgoing))
  forwarded.on('error', () => outgoing.destroy())
  incoming.pipe(forwarded)
}

function answerError(act: ErrorAnswer, incoming: IncomingMessage, outgoing: ServerResponse): void {
  incoming.resume()
  incoming.on('end', () => {
    const { code, message = 'as scripted', extra = '' } = act
    outgoing.writeHead(act.answer, { 'content-type': 'application/xml' })
    const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${message}</Message>${extra}</Error>`
    outgoing.end(incoming.method === 'HEAD' ? undefined : body)
  })
}

function resetRequest(after: number, incoming: IncomingMessage): void {
  let read = 0
  if (after === 0) incoming.socket.resetAndDestroy()
  incoming.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read >= after) incoming.socket.resetAndDestroy()
  })
}

function passOn(act: FaultAct | undefined, answer: IncomingMessage, outgoing: ServerResponse): void {
  answer.on('error', () => outgoing.destroy())
  if (act && 'loseAnswer' in act) {
    answer.resume()
    answer.on('end', () => outgoing.socket?.resetAndDestroy())
    return
  }
  const headers = { ...answer.headers }
  if (act && 'cutAnswerAfter' in act) delete headers['content-length']
  outgoing.writeHead(answer.statusCode ?? 500, headers)
  const limit = limitOf(act)
  if (limit === undefined) {
    answer.pipe(outgoing)
    return
  }
  let passed = 0
  answer.on('data', (chunk: Buffer) => {
    const bytes = chunk.subarray(0, limit - passed)
    passed += bytes.length
    if (bytes.length > 0) outgoing.write(bytes, () => passed >= limit && end())
    if (passed >= limit) answer.destroy()
  })
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    if (act && 'resetAnswerAfter' in act) outgoing.socket?.resetAndDestroy()
    if (act && 'cutAnswerAfter' in act) outgoing.end()
  }
  if (limit === 0) {
    outgoing.flushHeaders()
    answer.destroy()
    end()
  }
}

function limitOf(act: FaultAct | undefined): number | undefined {
  if (act === undefined) return undefined
  if ('resetAnswerAfter' in act) return act.resetAnswerAfter
  if ('stallAnswerAfter' in act) return act.stallAnswerAfter
  return 'cutAnswerAfter' in act ? act.cutAnswerAfter : undefined
}
