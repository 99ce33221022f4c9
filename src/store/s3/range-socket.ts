import { type Socket, connect } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'

/** Where requests go. */
export interface Peer {
  readonly tls: ConnectionOptions | undefined
  readonly host: string
  readonly port: number
  readonly connectMs: number
  /** A socket on which nothing moves for so long is given up. */
  readonly idleMs: number
  /** The same for one that waits for its next request. */
  readonly keptMs: number
}

/** The answer was not the plain kind that is read here; nothing is known about the object. */
export class UnreadAnswer extends Error {}

/** Gives the memory for a body of so many bytes, of the whole object or of a range. Throws UnreadAnswer where it wants none of it. */
export type PlaceBody = (sizeBytes: number, isRange: boolean) => Uint8Array

interface Wanted {
  readonly place: PlaceBody
  readonly resolve: (body: Uint8Array) => void
  readonly reject: (error: unknown) => void
}

const longestHeadBytes = 32 << 10

/**
 * One connection on which GETs follow each other. The kernel copies each body to where it belongs: no buffer is made for the pieces, which is
 * what keeps the garbage collector busy when Node's own HTTP client reads a pack (43 full collections for 512 MiB).
 */
export class RangeSocket {
  readonly #socket: Socket
  readonly #peer: Peer
  readonly #scratch = Buffer.allocUnsafeSlow(longestHeadBytes)
  #headBytes = 0
  #body: Uint8Array | undefined
  #filled = 0
  #lasts = true
  #wanted: Wanted | undefined
  #used = false

  constructor(peer: Peer) {
    const { tls, host, port, connectMs, idleMs } = peer
    this.#peer = peer
    const options = { host, port, onread: { buffer: () => this.#room(), callback: (bytes: number) => this.#take(bytes) } }
    // `tls.connect` takes all that `net.connect` does, which its types leave out.
    this.#socket = tls ? connectTls({ ...tls, ...(options as ConnectionOptions) }) : connect(options)
    this.#socket.setNoDelay(true)
    this.#socket.setTimeout(connectMs, () => this.close())
    this.#socket.once(tls ? 'secureConnect' : 'connect', () => this.#socket.setTimeout(idleMs))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the connection was closed')))
    this.#socket.on('end', () => this.close())
  }

  /** Whether another request may be sent. */
  get usable(): boolean {
    return this.#lasts && !this.#socket.destroyed && this.#wanted === undefined
  }

  /** True when an earlier request was answered on it: such a socket may be closed by the other side at any time. */
  get used(): boolean {
    return this.#used
  }

  async get(head: string, place: PlaceBody, signal: AbortSignal): Promise<Uint8Array> {
    signal.throwIfAborted()
    const onAbort = (): void => this.close()
    signal.addEventListener('abort', onAbort, { once: true })
    this.#socket.ref()
    if (this.#used) this.#socket.setTimeout(this.#peer.idleMs)
    try {
      return await new Promise((resolve, reject) => {
        this.#wanted = { place, resolve, reject }
        this.#socket.write(head, 'latin1')
      })
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.#used = true
      // A socket that waits for its next request keeps no process alive.
      this.#socket.unref()
      this.#socket.setTimeout(this.#peer.keptMs)
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  /** Where the next bytes of the socket go. */
  #room(): Uint8Array {
    return this.#body ? this.#body.subarray(this.#filled) : this.#scratch.subarray(this.#headBytes)
  }

  #take(bytes: number): boolean {
    try {
      if (this.#body) this.#filled += bytes
      else this.#takeHead(bytes)
      if (this.#body && this.#filled === this.#body.length) this.#finish(this.#body)
    } catch (error) {
      this.#fail(error)
    }
    return true
  }

  #takeHead(bytes: number): void {
    if (!this.#wanted) throw new UnreadAnswer('bytes came that nobody asked for')
    this.#headBytes += bytes
    const end = this.#scratch.subarray(0, this.#headBytes).indexOf('\r\n\r\n')
    if (end < 0 && this.#headBytes === longestHeadBytes) throw new UnreadAnswer('the head of the answer is too long')
    if (end < 0) return
    const head = this.#scratch.toString('latin1', 0, end)
    const { sizeBytes, isRange } = answerOf(head)
    this.#lasts = !/\r\nconnection: *close/i.test(head)
    const body = this.#wanted.place(sizeBytes, isRange)
    const begun = this.#scratch.subarray(end + 4, this.#headBytes)
    if (begun.length > body.length) throw new UnreadAnswer('more bytes came than were announced')
    body.set(begun)
    this.#body = body
    this.#filled = begun.length
    this.#headBytes = 0
  }

  #finish(body: Uint8Array): void {
    const wanted = this.#wanted
    this.#wanted = undefined
    this.#body = undefined
    if (!this.#lasts) this.close()
    wanted?.resolve(body)
  }

  #fail(error: unknown): void {
    const wanted = this.#wanted
    this.#wanted = undefined
    this.close()
    wanted?.reject(error)
  }
}

/** Of an answer that carries the object, or the range, and says how long it is. Whatever else comes is for a client that knows all of HTTP. */
function answerOf(head: string): { readonly sizeBytes: number; readonly isRange: boolean } {
  const status = /^HTTP\/1\.1 (200|206)\b/.exec(head)?.[1]
  const length = /\r\ncontent-length: *(\d+) *(?:\r\n|$)/i.exec(head)?.[1]
  const encoded = /\r\n(?:transfer|content)-encoding:/i.test(head)
  if (status === undefined || length === undefined || encoded) throw new UnreadAnswer(head.slice(0, head.indexOf('\r\n')))
  return { sizeBytes: Number(length), isRange: status === '206' }
}
