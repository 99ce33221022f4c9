import type { Clock } from '../base/clock.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import { kinds, type Lease } from './kinds.ts'
import type { HeldLease, LeaseOptions, Leases } from './lease.ts'
import type { Live } from './objects.ts'
import type { ResourceApi } from './resource-api.ts'
import { createResourceApi } from './resources.ts'

const defaultDurationMs = 15_000
/** How far clocks of two machines may differ before a lease is taken for run out by its own time stamp. */
const skewMs = 10_000
const tryAgainMs = 1_000

interface Seen {
  readonly version: string
  readonly atMs: number
}

export function createLeases(client: KubeClient, clock: Clock): Leases {
  const api = createResourceApi(client, kinds.leases)
  /** When we first saw each version of a lease: by our own clock nothing else is known about its age. */
  const seen = new Map<string, Seen>()

  const tryAcquire: Leases['tryAcquire'] = async (options, call = {}) => {
    const { namespace, name, holder } = options
    const current = await api.find({ namespace, name }, call)
    const now = clock.now()
    if (current && current.spec?.holderIdentity && current.spec.holderIdentity !== holder) {
      if (!hasRunOut(current, seen, now)) throw held(options, current)
    }
    const lease = await take(api, options, current, now, call)
    seen.delete(`${namespace}/${name}`)
    return hold(api, options, lease, now, clock)
  }

  return {
    tryAcquire,
    async acquire(options, { signal }) {
      for (;;) {
        try {
          return await tryAcquire(options, { signal })
        } catch (error) {
          if (!kubeError.is(error, 'KUBE_LEASE_HELD')) throw error
        }
        await clock.sleep(tryAgainMs, signal)
      }
    },
  }
}

/** Unchanged for its duration while we looked on, or by its own time stamp long past. */
function hasRunOut(lease: Live<Lease>, seen: Map<string, Seen>, now: number): boolean {
  const key = `${lease.metadata.namespace}/${lease.metadata.name}`
  const durationMs = (lease.spec?.leaseDurationSeconds ?? defaultDurationMs / 1000) * 1000
  const renewedMs = Date.parse(lease.spec?.renewTime ?? '')
  if (Number.isNaN(renewedMs) || now - renewedMs > durationMs + skewMs) return true
  const known = seen.get(key)
  if (known?.version === lease.metadata.resourceVersion) return now - known.atMs > durationMs
  seen.set(key, { version: lease.metadata.resourceVersion, atMs: now })
  return false
}

function held({ namespace, name }: LeaseOptions, lease: Live<Lease>): Error {
  const { holderIdentity, renewTime } = lease.spec ?? {}
  return kubeError('KUBE_LEASE_HELD', `lease "${namespace}/${name}" is held by ${holderIdentity}, renewed ${renewTime}`, {
    details: { holder: holderIdentity ?? '' },
  })
}

async function take(
  api: ResourceApi<Lease>,
  options: LeaseOptions,
  current: Live<Lease> | undefined,
  now: number,
  call: { readonly signal?: AbortSignal | undefined },
): Promise<Live<Lease>> {
  const { namespace, name, holder, durationMs = defaultDurationMs, labels } = options
  const time = microTime(now)
  const spec = {
    holderIdentity: holder,
    leaseDurationSeconds: Math.ceil(durationMs / 1000),
    acquireTime: time,
    renewTime: time,
    // A new life of the same holder counts too: what the old one still does must be told apart.
    leaseTransitions: (current?.spec?.leaseTransitions ?? 0) + 1,
  }
  try {
    if (current) return await api.replace({ ...current, spec }, call)
    return await api.create({ metadata: { namespace, name, ...(labels && { labels }) }, spec }, call)
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_CONFLICT', 'KUBE_ALREADY_EXISTS')) throw error
    const text = `lease "${namespace}/${name}" was taken by another at the same moment`
    throw kubeError('KUBE_LEASE_HELD', text, { cause: error })
  }
}

function hold(api: ResourceApi<Lease>, options: LeaseOptions, taken: Live<Lease>, takenMs: number, clock: Clock): HeldLease {
  const { namespace, name, durationMs = defaultDurationMs, renewMs = durationMs / 3 } = options
  const life = new AbortController()
  const own = new AbortController()
  const fence = taken.spec?.leaseTransitions ?? 0
  let lease = taken
  let renewedMs = takenMs
  const lose = (why: string, cause?: unknown): void => {
    const text = `lease "${namespace}/${name}" is lost: ${why}`
    life.abort(kubeError('KUBE_LEASE_LOST', text, { cause }))
    own.abort(life.signal.reason)
  }

  const renew = async (): Promise<void> => {
    const startMs = clock.now()
    const timeoutMs = Math.max(1, Math.min(renewMs, renewedMs + durationMs - startMs))
    try {
      const spec = { ...lease.spec, renewTime: microTime(startMs) }
      lease = await api.replace({ ...lease, spec }, { signal: own.signal, timeoutMs })
      renewedMs = startMs
    } catch (error) {
      if (!kubeError.is(error, 'KUBE_CONFLICT')) throw error
      // Our own write whose answer was lost, or another holder: the object says which.
      const found = await api.find({ namespace, name }, { signal: own.signal, timeoutMs })
      if (found?.spec?.holderIdentity !== options.holder || found.spec.leaseTransitions !== fence) {
        lose(`${found?.spec?.holderIdentity || 'nobody'} holds it now`)
      } else lease = found
    }
  }

  const keep = async (): Promise<void> => {
    let pauseMs = renewMs
    while (!own.signal.aborted) {
      await clock.sleep(Math.min(pauseMs, Math.max(0, renewedMs + durationMs - clock.now())), own.signal)
      // A process that was asleep must not renew first and ask later.
      if (clock.now() >= renewedMs + durationMs) return lose(`not renewed for ${durationMs / 1000} s`)
      try {
        await renew()
        pauseMs = renewMs
      } catch (error) {
        if (own.signal.aborted) return
        if (kubeError.is(error, 'KUBE_NOT_FOUND')) return lose('it was deleted', error)
        pauseMs = Math.min(renewMs, tryAgainMs)
      }
    }
  }
  // The sleep may outlast the lease when the event loop was blocked; nothing here throws but the end by `own`.
  const keeping = keep().catch(() => undefined)

  return {
    signal: life.signal,
    fence,
    async release() {
      own.abort(new Error('released'))
      await keeping
      if (life.signal.aborted) return
      const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 }
      // Failing is harmless: the lease runs out by itself.
      await api.replace({ ...lease, spec }, { timeoutMs: 5_000 }).catch(() => undefined)
      life.abort(kubeError('KUBE_LEASE_LOST', `lease "${namespace}/${name}" was released`))
    },
  }
}

/** RFC 3339 with six digits, which MicroTime demands. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z')
}
