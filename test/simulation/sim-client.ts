import type { IncomingMessage } from 'node:http'
import { backoffMs } from '../../src/base/backoff.ts'
import { HoldfastError } from '../../src/base/errors.ts'
import type { Clock } from '../../src/base/clock.ts'
import type { CallOptions, KubeClient, KubeRequest } from '../../src/kube/client.ts'
import { createInformer } from '../../src/kube/create-informer.ts'
import { createLeases } from '../../src/kube/create-leases.ts'
import { kubeError } from '../../src/kube/errors.ts'
import type { Kube } from '../../src/kube/kube.ts'
import { createResourceApi } from '../../src/kube/resources.ts'
import type { Fate, Network } from './network.ts'
import type { SimServer } from './sim-server.ts'
import { SimWatch } from './sim-watch.ts'
import type { SimProcess } from './virtual-time.ts'

const attemptMs = 15_000

/** The real room `kube` of one process, on a network that loses, delays and repeats. */
export function simKube(network: Network, server: SimServer, process: SimProcess): Kube {
  const clock = network.time.clock(process)
  const client = new SimClient(network, server, process, clock)
  const life = new AbortController()
  const kube: Pick<Kube, 'client' | 'resource' | 'informer' | 'leases' | 'eventSink' | 'patient' | 'close'> = {
    client,
    get patient() {
      return kube as unknown as Kube
    },
    resource: (def) => createResourceApi(client, def, clock),
    informer: (def, { signal, ...options }) =>
      createInformer(client, def, { ...options, signal: signal ? AbortSignal.any([signal, life.signal]) : life.signal }, clock),
    leases: createLeases(client, clock),
    // Events are a courtesy and change nothing.
    eventSink: () => ({ send: () => undefined, flush: async () => undefined, dropped: 0 }),
    close: async () => life.abort(new Error('closed')),
  }
  // The rest of Kube is not asked by what is simulated.
  return kube as unknown as Kube
}

class SimClient implements KubeClient {
  readonly server = 'sim'
  readonly namespace = 'engine'
  readonly budgetMs = 60_000
  readonly #network: Network
  readonly #api: SimServer
  readonly #process: SimProcess
  readonly #clock: Clock

  constructor(network: Network, server: SimServer, process: SimProcess, clock: Clock) {
    this.#network = network
    this.#api = server
    this.#process = process
    this.#clock = clock
  }

  /** Repeats as the real client does. */
  async request<T>(request: KubeRequest, options: CallOptions = {}): Promise<T> {
    const { timeoutMs = 60_000, signal, retry = true } = options
    const deadline = this.#clock.now() + timeoutMs
    for (let attempt = 1; ; attempt++) {
      signal?.throwIfAborted()
      try {
        const left = Math.max(1, Math.min(attemptMs, deadline - this.#clock.now()))
        return JSON.parse(await this.#attempt(request, signal, left)) as T
      } catch (error) {
        signal?.throwIfAborted()
        const waitMs = backoffMs(attempt, { maxMs: 5_000 })
        if (!retry || !mayRepeat(request, error) || this.#clock.now() + waitMs >= deadline) throw error
        await this.#clock.sleep(waitMs, signal)
      }
    }
  }

  async stream(request: KubeRequest, options: CallOptions = {}): Promise<IncomingMessage> {
    const { weather, random } = this.#network
    await this.#attempt({ ...request, path: '/api/v1/namespaces/app' }, options.signal, attemptMs)
    const from = Number(request.query?.['resourceVersion'])
    if (from < this.#api.version && random.chance(weather.compacted)) throw kubeError('KUBE_GONE', 'too old resource version')
    // Only what an async loop and `destroy` need of it.
    return new SimWatch(this.#network, this.#api, this.#process, request, options.signal) as unknown as IncomingMessage
  }

  webSocket(): never {
    throw new Error('no exec in the simulation')
  }

  close(): void {
    // Nothing is kept open.
  }

  #attempt(request: KubeRequest, signal: AbortSignal | undefined, ms: number): Promise<string> {
    const network = this.#network
    const { time } = network
    const process = this.#process
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        time.cancel(timer)
        signal?.removeEventListener('abort', onAbort)
        reject(error)
      }
      const succeed = (text: string): void => {
        time.cancel(timer)
        signal?.removeEventListener('abort', onAbort)
        resolve(text)
      }
      const onAbort = (): void => fail(signal?.reason)
      const timer = time.after(ms, process, () => fail(kubeError('KUBE_TIMEOUT', 'the API server did not answer')))
      signal?.addEventListener('abort', onAbort, { once: true })
      const fate = network.fate()
      if (fate === 'lost') return
      if (fate === 'refused' || fate === 'reset')
        return void time.after(network.latencyMs(), process, () => fail(network.errorOf(fate)))
      // What was sent arrives, whatever becomes of the sender.
      time.after(network.latencyMs(), time.outside, () => {
        if (network.isAway) return
        const answer = this.#arrive(request, fate)
        if (answer)
          time.after(network.latencyMs(), process, () => ('text' in answer ? succeed(answer.text) : fail(answer.error)))
      })
    })
  }

  #arrive(request: KubeRequest, fate: Fate): { readonly text: string } | { readonly error: unknown } | undefined {
    const network = this.#network
    network.onRequest('before', request, this.#process)
    if (fate === 'failBefore') return { error: network.errorOf(fate) }
    try {
      const text = this.#api.carryOut(request, this.#process)
      network.onRequest('after', request, this.#process)
      if (fate === 'silentAfter') return undefined
      return fate === 'good' ? { text } : { error: network.errorOf(fate) }
    } catch (error) {
      return { error }
    }
  }
}

function mayRepeat(request: KubeRequest, error: unknown): boolean {
  if (!(error instanceof HoldfastError) || error.next !== 'retry') return false
  if (error.code === 'KUBE_CONFLICT' || error.code === 'KUBE_GONE') return false
  if (error.code === 'KUBE_THROTTLED' || error.details['sent'] === false) return true
  return request.method !== 'POST' && request.contentType !== 'application/json-patch+json'
}
