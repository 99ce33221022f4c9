import type { KubeRequest } from '../../src/kube/client.ts'
import type { Network } from './network.ts'
import { isSelected, placeOf, type SimServer, type Write } from './sim-server.ts'
import type { SimProcess } from './virtual-time.ts'

/** The body of one watch: in order, but late, sometimes twice, until it breaks. */
export class SimWatch implements AsyncIterable<Buffer> {
  readonly #network: Network
  readonly #server: SimServer
  readonly #process: SimProcess
  readonly #collection: string
  readonly #namespace: string
  readonly #selector: string | undefined
  readonly #arrived: Buffer[] = []
  /** Events of one watch overtake none. */
  readonly #onTheWay: Buffer[] = []
  #lastMs = 0
  #wake: (() => void) | undefined
  #over = false
  #error: unknown
  #deaf = false

  constructor(
    network: Network,
    server: SimServer,
    process: SimProcess,
    { path, query }: KubeRequest,
    signal: AbortSignal | undefined,
  ) {
    this.#network = network
    this.#server = server
    this.#process = process
    const { collection, namespace } = placeOf(path)
    this.#collection = collection
    this.#namespace = namespace
    this.#selector = query?.['labelSelector'] as string | undefined
    server.watches.add(this)
    for (const write of server.writesSince(collection, Number(query?.['resourceVersion']))) this.tell(write)
    signal?.addEventListener('abort', () => this.destroy(signal.reason), { once: true })
    // The server ends each watch when it was asked to, unless it fell silent.
    network.time.after(Number(query?.['timeoutSeconds']) * 1_000, process, () => this.#deaf || this.destroy())
    this.#remind()
  }

  /** A bookmark a minute tells that the watch lives. */
  #remind(): void {
    this.#network.time.after(60_000, this.#process, () => {
      if (this.#deaf) return
      this.#send(Buffer.from(`{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"${this.#server.version}"}}}\n`))
      this.#remind()
    })
  }

  tell(write: Write): void {
    if (this.#deaf || this.#process.dead || write.collection !== this.#collection) return
    const { weather, random } = this.#network
    if (this.#network.isAway || random.chance(weather.watchBreaks)) return this.#break()
    const line = this.#lineOf(write)
    if (!line) return
    this.#send(line)
    if (random.chance(weather.twice)) this.#send(line)
  }

  destroy(error?: unknown): void {
    this.#deaf = true
    this.#error ??= error
    this.#over = true
    this.#server.watches.delete(this)
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const line = this.#arrived.shift()
      if (line) yield line
      else if (this.#over) break
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    if (this.#error) throw this.#error
  }

  #lineOf({ before, after, version }: Write): Buffer | undefined {
    const was = before && isSelected(before, this.#namespace, this.#selector)
    const is = after && isSelected(after, this.#namespace, this.#selector)
    if (!was && !is) return undefined
    if (is) return Buffer.from(`{"type":"${was ? 'MODIFIED' : 'ADDED'}","object":${this.#server.textOf(after)}}\n`)
    const object = { ...before, metadata: { ...before?.metadata, resourceVersion: String(version) } }
    return Buffer.from(`{"type":"DELETED","object":${JSON.stringify(object)}}\n`)
  }

  #send(line: Buffer): void {
    const { time, random, weather } = this.#network
    this.#lastMs = Math.max(this.#lastMs, time.now + random.skewed(1, weather.lateEventMs))
    this.#onTheWay.push(line)
    time.after(this.#lastMs - time.now, this.#process, () => {
      const next = this.#onTheWay.shift()
      if (this.#over || !next) return
      this.#arrived.push(next)
      this.#wake?.()
    })
  }

  /** Nothing more comes. The client learns of it soon, or only by the silence. */
  #break(): void {
    const { time, random, weather } = this.#network
    this.#deaf = true
    this.#server.watches.delete(this)
    if (random.chance(weather.watchSilent)) return
    const error = random.chance(0.5) ? new Error('socket hang up') : undefined
    time.after(random.skewed(1, 5_000), this.#process, () => this.destroy(error))
  }
}
