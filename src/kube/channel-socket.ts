import type { Duplex } from 'node:stream'
import { type ChannelListener, ChannelReader } from './channel-reader.ts'

const abnormal = 1006
const normal = 1000

/** What the owner of a socket hears. */
export interface ChannelHandler {
  onData(channel: number, bytes: Buffer, last: boolean): void
  /** The number given to `ping`, once the server answered. */
  onPong(ping: number): void
  /** Once, after all data. `code` is 1006 when the connection just broke; `error` says how. */
  onClose(code: number, error: unknown): void
}

/**
 * A WebSocket that speaks channel.k8s.io. Nothing is read before `start`. Frames we send are masked with zeros: masks guard
 * proxies against plain-text pages, we speak inside TLS, and a real mask costs a pass over all bytes in JavaScript.
 */
export class ChannelSocket {
  readonly protocol: string
  readonly #wire: Duplex
  readonly #head: Buffer

  constructor(wire: Duplex, head: Buffer, protocol: string) {
    this.protocol = protocol
    this.#wire = wire
    this.#head = head
    wire.on('error', () => undefined) // before `start` the close of the wire says it all
  }

  start(handler: ChannelHandler): void {
    let code = abnormal
    let failure: unknown
    const listener: ChannelListener = {
      onData: (channel, bytes, last) => handler.onData(channel, bytes, last),
      onPing: (payload) => void this.#frame(0x8a, [payload]),
      onPong: (payload) => handler.onPong(Number(payload.toString('latin1'))),
      onClose: (received) => {
        code = received
        void this.#frame(0x88, [closePayload(normal)])
        this.#wire.end()
      },
    }
    const reader = new ChannelReader(listener)
    const take = (bytes: Buffer): void => {
      try {
        reader.push(bytes)
      } catch (error) {
        failure = error
        this.terminate()
      }
    }
    this.#wire.on('error', (error) => (failure = error))
    this.#wire.on('end', () => this.#wire.end())
    this.#wire.on('close', () => handler.onClose(code, failure))
    if (this.#head.length > 0) take(this.#head)
    this.#wire.on('data', take)
    if (this.#wire.destroyed) queueMicrotask(() => handler.onClose(code, failure))
  }

  get isPaused(): boolean {
    return this.#wire.isPaused()
  }

  pause(): void {
    this.#wire.pause()
  }

  resume(): void {
    this.#wire.resume()
  }

  /** Bytes that wait here to be sent. */
  get bufferedBytes(): number {
    return this.#wire.writableLength
  }

  /** One message on a channel; resolves when it left this process. The parts are copied. Need not be awaited. */
  send(channel: number, parts: readonly Uint8Array[]): Promise<void> {
    return this.#frame(0x82, [Uint8Array.of(channel), ...parts])
  }

  ping(number: number): void {
    void this.#frame(0x89, [Buffer.from(String(number))])
  }

  terminate(): void {
    this.#wire.destroy()
  }

  #frame(first: number, parts: readonly Uint8Array[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const extra = length < 126 ? 0 : length < 65_536 ? 2 : 8
    const frame = Buffer.allocUnsafe(2 + extra + 4 + length)
    frame[0] = first
    frame[1] = 0x80 | (extra === 0 ? length : extra === 2 ? 126 : 127)
    if (extra === 2) frame.writeUInt16BE(length, 2)
    if (extra === 8) frame.writeBigUInt64BE(BigInt(length), 2)
    frame.fill(0, 2 + extra, 6 + extra)
    let at = 6 + extra
    for (const part of parts) {
      frame.set(part, at)
      at += part.length
    }
    const sent = new Promise<void>((resolve, reject) => {
      this.#wire.write(frame, (error) => (error ? reject(error) : resolve()))
    })
    sent.catch(() => undefined) // a lost connection shows as close
    return sent
  }
}

function closePayload(code: number): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return payload
}
