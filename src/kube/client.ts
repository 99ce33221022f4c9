import type { IncomingMessage } from 'node:http'
import type { ChannelSocket } from './channel-socket.ts'

export type KubeMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export type QueryValue = string | number | boolean | readonly string[] | undefined

export interface KubeRequest {
  readonly method: KubeMethod
  /** Below the server's root: `/api/v1/namespaces/default/pods`. */
  readonly path: string
  readonly query?: Readonly<Record<string, QueryValue>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** @default application/json */
  readonly contentType?: string
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Time for the whole call, repetitions included, in ms. @default the client's `budgetMs` */
  readonly timeoutMs?: number | undefined
  /**
   * Whether to repeat after transient faults (unreachable, 429, 5xx), with jittered backoff.
   * @default true for GET, PUT, DELETE and PATCH (not JSON Patch); a POST is repeated only when it was surely not carried out, by
   * a patient client also when it names its object
   */
  readonly retry?: boolean | undefined
  /** Asked before each try, repetitions included: whether the request is still to be sent. What it throws counts as the failure of the try. */
  readonly beforeTry?: (() => Promise<void>) | undefined
}

/** Speaks HTTP with one API server. Every failure is an error of `errors.ts`, or the reason of the signal. */
export interface KubeClient {
  readonly server: string
  /** The namespace of the context or of our own pod; `default` when neither says one. */
  readonly namespace: string
  /** How long a call without a `timeoutMs` is repeated. */
  readonly budgetMs: number
  /** One request, its JSON answer parsed. */
  request<T>(request: KubeRequest, options?: CallOptions): Promise<T>
  /**
   * Opens a streaming answer (watch, log). The body must be read to its end or destroyed. `timeoutMs` bounds the time to
   * the first byte of the head; the body ends with `signal` only.
   */
  stream(request: KubeRequest, options?: CallOptions): Promise<IncomingMessage>
  /**
   * Opens a WebSocket of one of these subprotocols; resolves when the handshake is done. Refusals come as the same errors
   * as of `request`. Repeated as a POST is.
   */
  webSocket(
    request: Pick<KubeRequest, 'path' | 'query'>,
    protocols: readonly string[],
    options?: CallOptions,
  ): Promise<ChannelSocket>
  /** Ends idle connections. Calls in flight go on. */
  close(): void
}
