import { type ApiStatus, parseStatus } from '../api-errors.ts'
import type { ChannelSocket } from '../channel-socket.ts'
import type { KubeClient } from '../client.ts'
import { kubeError } from '../errors.ts'
import type { ExecTarget } from './exec.ts'

const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const

/** A ping keeps proxies from cutting a quiet connection; three unanswered ones mean that nobody is there. */
export const defaultPingMs = 20_000
const silentPings = 3

const closeMs = 5_000
const maxStatusPieces = 100

/** Control words may wait behind this much unsent data before the pump stops. */
const maxBufferedBytes = 1 << 20

export interface ExecRequest {
  readonly target: ExecTarget & { readonly container: string }
  readonly command: readonly string[]
  readonly stdin: boolean
  readonly signal?: AbortSignal | undefined
  readonly connectTimeoutMs: number
  /** @default 20_000 */
  readonly pingMs?: number | undefined
}

/** Frames of one exec, no meaning. Stdout and stderr go to the listeners given to `start`. */
export class ExecConnection {
  readonly #socket: ChannelSocket
  readonly #ended = Promise.withResolvers<ApiStatus>()
  #status: ApiStatus | undefined
  #ping: NodeJS.Timeout | undefined
  readonly #pingMs: number
  #silent = 0
  #pings = 0
  /** Number of the last ping before the last stdin data; gone once a later ping was answered. */
  #unreadSince: number | undefined

  static async open(client: KubeClient, request: ExecRequest): Promise<ExecConnection> {
    const { target, command, stdin, signal, connectTimeoutMs } = request
    const path = `/api/v1/namespaces/${encodeURIComponent(target.namespace)}/pods/${encodeURIComponent(target.pod)}/exec`
    const query = { container: target.container, command, stdin, stdout: true, stderr: true, tty: false }
    const socket = await client.webSocket({ path, query }, protocols, { signal, timeoutMs: connectTimeoutMs })
    return new ExecConnection(socket, request.pingMs ?? defaultPingMs)
  }

  private constructor(socket: ChannelSocket, pingMs: number) {
    this.#socket = socket
    this.#pingMs = pingMs
    this.#ended.promise.catch(() => undefined) // whoever needs it awaits it; nobody has to
  }

  /** The final Status, once everything before it was handed on; KUBE_EXEC_LOST when there was none. */
  get ended(): Promise<ApiStatus> {
    return this.#ended.promise
  }

  /** v5 can close stdin alone; before that only the whole connection can be closed. */
  get canCloseStdin(): boolean {
    return this.#socket.protocol === protocols[0]
  }

  start(onStdout: (bytes: Buffer) => void, onStderr: (bytes: Buffer) => void): void {
    const status: Buffer[] = []
    this.#socket.start({
      onData: (from, bytes, last) => {
        this.#silent = 0
        // Channel 255 announces that the server closed one channel; the Status and the end of the socket tell all we need.
        if (from === channel.stdout && bytes.length > 0) onStdout(bytes)
        else if (from === channel.stderr && bytes.length > 0) onStderr(bytes)
        else if (from === channel.status) {
          if (status.length < maxStatusPieces) status.push(bytes)
          if (last) this.#takeStatus(parseStatus(Buffer.concat(status).toString('utf8')))
        }
      },
      onPong: (ping) => this.#takePong(ping),
      onClose: (code, error) => this.#settle(error, code),
    })
    this.#ping = setInterval(() => this.#beat(), this.#pingMs)
    this.#ping.unref()
  }

  pause(): void {
    if (!this.#socket.isPaused) this.#socket.pause()
  }

  resume(): void {
    if (this.#socket.isPaused) this.#socket.resume()
  }

  /** Sends words that the wrapper reads at once. */
  async say(words: string): Promise<void> {
    await this.#write([Buffer.from(words)])
  }

  /**
   * Sends data of the command's stdin; resolves when there is room for the next. Rejects when the connection is gone.
   */
  async write(...parts: readonly Uint8Array[]): Promise<void> {
    this.#unreadSince = this.#pings
    await this.#write(parts)
  }

  async #write(parts: readonly Uint8Array[]): Promise<void> {
    const sent = this.#socket.send(channel.stdin, parts)
    if (this.#socket.bufferedBytes > maxBufferedBytes) await sent
  }

  /** EOF on the remote stdin; only where `canCloseStdin`. */
  async closeStdin(): Promise<void> {
    await this.#socket.send(channel.close, [Uint8Array.of(channel.stdin)])
  }

  terminate(): void {
    this.#socket.terminate()
  }

  /** The server closes after the Status; one that does not must not hold us. */
  #takeStatus(status: ApiStatus): void {
    this.#status = status
    setTimeout(() => this.#socket.terminate(), closeMs).unref()
  }

  /**
   * Silence says nothing while we have paused the socket (it cannot show us a pong), nor while the command may not have
   * read its stdin: the server reads our frames in order, so a ping waits behind data that nobody takes.
   */
  #beat(): void {
    if (this.#socket.isPaused) return
    if (this.#unreadSince === undefined && ++this.#silent > silentPings) return this.#socket.terminate()
    this.#socket.ping(++this.#pings)
  }

  #takePong(ping: number): void {
    this.#silent = 0
    if (this.#unreadSince !== undefined && ping > this.#unreadSince) this.#unreadSince = undefined
  }

  #settle(error: unknown, code: number): void {
    clearInterval(this.#ping)
    if (this.#status) return this.#ended.resolve(this.#status)
    const why = this.#silent > silentPings ? `no answer to ${silentPings} pings` : `closed (${code}) before a status arrived`
    const cause = error === undefined ? {} : { cause: error }
    this.#ended.reject(kubeError('KUBE_EXEC_LOST', `the connection to the command was lost: ${why}`, cause))
  }
}
