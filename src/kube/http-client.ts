import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { ChannelSocket } from './channel-socket.ts'
import { backoffMs } from '../base/backoff.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { HoldfastError } from '../base/errors.ts'
import { errorOfAnswer, errorOfTransport } from './api-errors.ts'
import type { CallOptions, KubeClient, KubeRequest, QueryValue } from './client.ts'
import { kubeError } from './errors.ts'
import type { KubeEndpoint } from './kubeconfig.ts'
import { budgetOf, longPatience, mayRepeat, type Patience, plainPatience, wasNotCarriedOut } from './request-retry.ts'
import { SharedReads } from './shared-reads.ts'
import { createTlsOptions } from './tls-options.ts'
import { openWebSocket } from './web-socket.ts'

/** Requests in flight at once; watches, logs and execs have connections of their own and are bounded by who opens them. */
const maxSockets = 32
/** The API server closes idle connections after some minutes; we do it first, so that no request goes into a closing one. */
const idleSocketMs = 30_000
/** A quiet connection is probed after this; without an answer it ends ten seconds later. */
const keepAliveMs = 5_000
/** One try. A request that hangs longer is given up and, where that is safe, repeated. */
const attemptMs = 30_000

export function createClient(
  endpoint: KubeEndpoint,
  clock: Clock = systemClock,
): KubeClient & { readonly patient: KubeClient } {
  const secure = endpoint.server.startsWith('https:')
  const Agent = secure ? HttpsAgent : HttpAgent
  const unary = new Agent({ keepAlive: true, maxSockets, timeout: idleSocketMs })
  // A watch that the server ended leaves its connection to the next one: no handshake each half minute.
  const streaming = new Agent({ keepAlive: true, maxFreeSockets: 16 })
  const tlsOptions = createTlsOptions(endpoint)

  const send = async (request: KubeRequest, streams: boolean, signal: AbortSignal): Promise<IncomingMessage> => {
    const identity = await endpoint.credentials.current()
    const body = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body))
    const headers = {
      accept: 'application/json',
      'user-agent': 'holdfast',
      ...(identity.authorization !== undefined && { authorization: identity.authorization }),
      ...(body && { 'content-type': request.contentType ?? 'application/json', 'content-length': body.length }),
    }
    return await new Promise((resolve, reject) => {
      const url = urlOf(endpoint.server, request)
      const agent = streams ? streaming : unary
      const options = { method: request.method, headers, agent, signal, ...tlsOptions(identity) }
      const call: ClientRequest = secure ? httpsRequest(url, options) : httpRequest(url, options)
      // Whoever is cut off without a word is found out after some seconds, also where a stream is quiet.
      call.once('socket', (socket) => socket.setKeepAlive(true, keepAliveMs))
      call.once('response', resolve)
      // After the head, a failure shows on the response; this listener only keeps it from being thrown.
      call.on('error', (error) => reject(signal.aborted ? signal.reason : errorOfTransport(error, endpoint.server)))
      call.end(body)
    })
  }

  const answer = async (request: KubeRequest, streams: boolean, signal: AbortSignal): Promise<IncomingMessage> => {
    const response = await send(request, streams, signal)
    const code = response.statusCode ?? 0
    if (code < 300) return response
    const text = await readText(response, endpoint.server, signal)
    throw errorOfAnswer(code, text, `${request.method} ${request.path}`, response.headers['retry-after'])
  }

  const withRetry = async <T>(
    request: KubeRequest,
    { timeoutMs, signal: outer, retry = true, beforeTry, patience }: CallOptions & { readonly patience: Patience },
    once: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> => {
    const start = clock.now()
    const deadline = start + (timeoutMs ?? patience.budgetMs)
    let refreshed = false
    let unsure = false
    for (let attempt = 1; ; attempt++) {
      outer?.throwIfAborted()
      try {
        await beforeTry?.()
        const left = deadline - clock.now()
        return await bounded(request, Math.max(1, Math.min(left, attemptMs)), outer, once)
      } catch (error) {
        outer?.throwIfAborted()
        if (!(error instanceof HoldfastError)) throw error
        if (error.code === 'KUBE_UNAUTHORIZED' && !refreshed && endpoint.credentials.refused()) {
          refreshed = true
          continue
        }
        if (unsure && error.code === 'KUBE_ALREADY_EXISTS') throw mayBeOurs(error)
        const waitMs = Math.max(backoffMs(attempt, { maxMs: 5_000 }), Number(error.details.retryAfterMs ?? 0))
        const until = timeoutMs === undefined ? start + budgetOf(error, patience.budgetMs) : deadline
        if (!retry || !mayRepeat(request, error, patience) || clock.now() + waitMs >= until) throw error
        unsure ||= !wasNotCarriedOut(error)
        await clock.sleep(waitMs, outer)
      }
    }
  }

  const textOf = async (request: KubeRequest, options: CallOptions & { readonly patience: Patience }): Promise<string> =>
    await withRetry(
      request,
      options,
      async (signal) => await readText(await answer(request, false, signal), endpoint.server, signal),
    )

  const clientOf = (patience: Patience): KubeClient => {
    const reads = new SharedReads(clock)
    return {
      server: endpoint.server,
      namespace: endpoint.namespace,
      budgetMs: patience.budgetMs,
      request: async <T>(request: KubeRequest, options: CallOptions = {}) => {
        const { signal, ...others } = options
        const isShared = request.method === 'GET' && !request.query && Object.keys(others).length === 0
        const text = isShared
          ? await reads.get(request.path, signal, (own) => textOf(request, { signal: own, patience }))
          : await textOf(request, { ...options, patience })
        return (text === '' ? undefined : JSON.parse(text)) as T
      },
      async stream(request, options = {}) {
        const response = await withRetry(request, { ...options, patience }, async (attempt) => {
          // The signal of an attempt ends with the attempt; the body must live on.
          const call = new AbortController()
          const stop = (): void => call.abort(attempt.reason)
          attempt.addEventListener('abort', stop, { once: true })
          try {
            return await answer(request, true, call.signal)
          } finally {
            attempt.removeEventListener('abort', stop)
          }
        })
        destroyOnAbort(response, options.signal)
        return response
      },
      webSocket: async (request, protocols, options = {}): Promise<ChannelSocket> =>
        await withRetry({ ...request, method: 'POST' }, { ...options, patience }, async (signal) => {
          const url = urlOf(endpoint.server, request)
          return await openWebSocket(url, protocols, { endpoint, tlsOptions, agent: streaming, signal })
        }),
      close() {
        unary.destroy()
        streaming.destroy()
      },
    }
  }
  return { ...clientOf(plainPatience), patient: clientOf(longPatience) }
}

/** Whose it is, only the caller can tell. */
function mayBeOurs(error: HoldfastError): Error {
  return kubeError('KUBE_ALREADY_EXISTS', error.message, { cause: error, details: { ...error.details, mayBeOurs: true } })
}

/** One attempt under its own time limit, which leaves as KUBE_TIMEOUT. */
async function bounded<T>(
  request: KubeRequest,
  ms: number,
  signal: AbortSignal | undefined,
  once: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  try {
    return await withDeadline(`${request.method} ${request.path}`, ms, signal, once)
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'DEADLINE_EXCEEDED') throw error
    throw kubeError('KUBE_TIMEOUT', `the API server did not answer: ${error.message}`, { cause: error })
  }
}

function destroyOnAbort(response: IncomingMessage, signal: AbortSignal | undefined): void {
  const stop = (): void => void response.destroy(asError(signal?.reason))
  if (signal?.aborted) return stop()
  signal?.addEventListener('abort', stop, { once: true })
  response.once('close', () => signal?.removeEventListener('abort', stop))
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

async function readText(response: IncomingMessage, server: string, signal: AbortSignal): Promise<string> {
  const parts: Buffer[] = []
  try {
    for await (const part of response) parts.push(part as Buffer)
  } catch (error) {
    signal.throwIfAborted()
    throw errorOfTransport(error, server)
  }
  return Buffer.concat(parts).toString('utf8')
}

export function urlOf(server: string, request: Pick<KubeRequest, 'path' | 'query'>): URL {
  const url = new URL(server + request.path)
  for (const [name, value] of Object.entries(request.query ?? {})) appendQuery(url.searchParams, name, value)
  return url
}

function appendQuery(params: URLSearchParams, name: string, value: QueryValue): void {
  if (value === undefined) return
  if (typeof value === 'object') for (const item of value) params.append(name, item)
  else params.append(name, String(value))
}
