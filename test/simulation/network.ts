import type { KubeRequest } from '../../src/kube/client.ts'
import { kubeError } from '../../src/kube/errors.ts'
import type { Random } from './random.ts'
import type { SimProcess, VirtualTime } from './virtual-time.ts'

/** How bad it is between processes and servers; each from 0 (never) to 1. */
export interface Weather {
  /** Longest latency of one way, in ms; most are far shorter. */
  readonly slowMs: number
  /** The server fails before it has carried the request out (429, 5xx). */
  readonly failBefore: number
  /** The request is carried out, but its answer is an error or gets lost. */
  readonly failAfter: number
  /** The request never arrives. */
  readonly loss: number
  /** Longest time that a watch event is late, in ms. */
  readonly lateEventMs: number
  /** A watch event comes twice. */
  readonly twice: number
  /** A watch breaks, per event. */
  readonly watchBreaks: number
  /** A broken watch says nothing any more instead of ending. */
  readonly watchSilent: number
  /** The history before a broken watch is gone. */
  readonly compacted: number
}

export const calm: Weather = {
  slowMs: 20,
  failBefore: 0,
  failAfter: 0,
  loss: 0,
  lateEventMs: 20,
  twice: 0,
  watchBreaks: 0,
  watchSilent: 0,
  compacted: 0,
}

export type Fate = 'good' | 'refused' | 'lost' | 'reset' | 'failBefore' | 'failAfter' | 'resetAfter' | 'silentAfter'

/** What lies between the processes and the API server. */
export class Network {
  weather: Weather = calm
  /** Until then nothing reaches the API server. */
  awayUntil = 0
  /** Called when a request has arrived, and when it was carried out; may kill whoever sent it. */
  onRequest: (when: 'before' | 'after', request: KubeRequest, process: SimProcess) => void = () => undefined
  readonly time: VirtualTime
  readonly random: Random

  constructor(time: VirtualTime, random: Random) {
    this.time = time
    this.random = random
  }

  latencyMs(): number {
    return this.random.skewed(1, this.weather.slowMs)
  }

  get isAway(): boolean {
    return this.time.now < this.awayUntil
  }

  fate(): Fate {
    const { random, weather } = this
    if (this.isAway) return random.chance(0.7) ? 'refused' : 'lost'
    if (random.chance(weather.loss)) return random.pick(['lost', 'reset'])
    if (random.chance(weather.failBefore)) return 'failBefore'
    if (random.chance(weather.failAfter)) return random.pick(['failAfter', 'resetAfter', 'silentAfter'])
    return 'good'
  }

  errorOf(fate: Fate): Error {
    switch (fate) {
      case 'refused':
        return kubeError('KUBE_UNREACHABLE', 'connection refused', { details: { sent: false } })
      case 'failBefore':
        return this.random.pick([
          kubeError('KUBE_THROTTLED', 'too many requests'),
          kubeError('KUBE_SERVER', 'etcdserver: leader changed'),
          kubeError('KUBE_TIMEOUT', 'etcdserver: request timed out'),
        ])
      case 'failAfter':
        return this.random.pick([
          kubeError('KUBE_SERVER', 'etcdserver: leader changed'),
          kubeError('KUBE_TIMEOUT', 'etcdserver: request timed out'),
        ])
      default:
        return kubeError('KUBE_UNREACHABLE', 'connection reset', { details: { sent: true } })
    }
  }
}
