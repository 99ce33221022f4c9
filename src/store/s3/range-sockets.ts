import { isIP } from 'node:net'
import { Semaphore } from '../../base/semaphore.ts'
import type { StoreTiming } from '../timing.ts'
import { type Peer, type PlaceBody, RangeSocket } from './range-socket.ts'
import type { S3Settings } from './settings.ts'

/** A signed request, as the SDK would send it. */
export interface SignedRequest {
  readonly protocol: string
  readonly hostname: string
  readonly port?: number
  readonly path: string
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>
  readonly headers: Readonly<Record<string, string>>
}

/** More at once are of no use: the caller's threads are busy long before. */
const mostSockets = 16
/** Servers close what is silent for longer. */
const keptMs = 10_000

/** Connections for GETs whose bodies land in given memory, kept for the next request. */
export class RangeSockets {
  readonly #tls: Peer['tls']
  readonly #timing: StoreTiming
  readonly #turns: Semaphore
  readonly #idle = new Map<string, RangeSocket[]>()

  constructor({ skipSslVerify = false, caPem, maxConnections = mostSockets }: S3Settings, timing: StoreTiming) {
    this.#tls = { rejectUnauthorized: !skipSslVerify, ...(caPem === undefined ? {} : { ca: caPem }) }
    this.#timing = timing
    this.#turns = new Semaphore(Math.min(mostSockets, maxConnections))
  }

  /** The body, in the memory that `place` gives for its length. Rejects for any other answer than one with the bytes asked for. */
  async get(request: SignedRequest, place: PlaceBody, signal: AbortSignal): Promise<Uint8Array> {
    return this.#turns.run(() => this.#get(request, place, signal), signal)
  }

  async #get(request: SignedRequest, place: PlaceBody, signal: AbortSignal): Promise<Uint8Array> {
    const peer = this.#peerOf(request)
    const name = `${request.protocol}//${peer.host}:${peer.port}`
    const idle = this.#idle.get(name) ?? []
    this.#idle.set(name, idle)
    for (;;) {
      let socket = idle.pop()
      while (socket && !socket.usable) socket = idle.pop()
      socket ??= new RangeSocket(peer)
      const stale = socket.used
      try {
        const body = await socket.get(headOf(request), place, signal)
        if (socket.usable) idle.push(socket)
        return body
      } catch (error) {
        socket.close()
        // The server may have closed it just then; a new one tells.
        if (!stale || signal.aborted) throw error
      }
    }
  }

  close(): void {
    for (const sockets of this.#idle.values()) for (const socket of sockets) socket.close()
    this.#idle.clear()
  }

  #peerOf({ protocol, hostname, port }: SignedRequest): Peer {
    const host = hostname.replace(/^\[|\]$/g, '')
    const tls = protocol === 'https:' ? { ...this.#tls, ...(isIP(host) ? {} : { servername: host }) } : undefined
    const { connectMs, idleMs } = this.#timing
    return { tls, host, port: port ?? (tls ? 443 : 80), connectMs, idleMs, keptMs }
  }
}

function headOf({ path, query = {}, headers }: SignedRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value ?? ''].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one)}`),
  )
  const target = pairs.length > 0 ? `${path}?${pairs.join('&')}` : path
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`
}
