import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type Clock, systemClock } from '../base/clock.ts'
import { messageOf } from '../base/errors.ts'
import { createEventSink } from './create-event-sink.ts'
import { createInformer } from './create-informer.ts'
import { createLeases } from './create-leases.ts'
import { createPods } from './create-pods.ts'
import { createWorkloads } from './create-workloads.ts'
import { createDiscovery } from './discovery.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import { createExec } from './exec/create-exec.ts'
import { createClient } from './http-client.ts'
import type { Kube } from './kube.ts'
import { type KubeEndpoint, loadEndpoint, parseEndpoint } from './kubeconfig.ts'
import { createResourceApi } from './resources.ts'
import { waitFor } from './wait-for.ts'

export interface OpenKubeOptions {
  /** KUBECONFIG, HOME, KUBERNETES_SERVICE_HOST and _PORT are looked at. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** The file of a `--kubeconfig` flag; goes before all of `env`. */
  readonly kubeconfig?: string
  /** @default the current context */
  readonly context?: string
  readonly clock?: Clock
}

/** Finds the API server as kubectl does and gives all we say to it. No request is made yet. */
export async function openKube({ env, kubeconfig, context, clock }: OpenKubeOptions): Promise<Kube> {
  if (kubeconfig === undefined) return createKube(await loadEndpoint({ env, context }), clock)
  const text = await readFile(kubeconfig, 'utf8').catch((error: unknown) => {
    throw kubeError('KUBE_CONFIG', `${kubeconfig}: ${messageOf(error)}`, { cause: error })
  })
  return createKube(await parseEndpoint(text, { context, dir: dirname(resolve(kubeconfig)) }), clock)
}

export function createKube(endpoint: KubeEndpoint, clock: Clock = systemClock): Kube {
  const client = createClient(endpoint, clock)
  const life = new AbortController()
  const close = (): Promise<void> => {
    life.abort(new Error('the connection to the API server was closed'))
    client.close()
    return Promise.resolve()
  }
  // A lease is of use only in time, and an Event is never waited for.
  const leases = createLeases(client, clock)
  const eventSink: Kube['eventSink'] = (component) => createEventSink(client, component, clock)
  const shared = { clock, life: life.signal, leases, eventSink, close }
  const patient: Kube = kubeOf(client.patient, shared, () => patient)
  return kubeOf(client, shared, () => patient)
}

interface Shared extends Pick<Kube, 'leases' | 'eventSink' | 'close'> {
  readonly clock: Clock
  readonly life: AbortSignal
}

function kubeOf(client: KubeClient, { clock, life, ...rest }: Shared, patient: () => Kube): Kube {
  const wait: Kube['waitFor'] = async (def, key, done, options) => await waitFor(client, def, key, done, options, clock)
  const informer: Kube['informer'] = (def, { signal, ...options }) => {
    const both = signal ? AbortSignal.any([signal, life]) : life
    return createInformer(client, def, { ...options, signal: both }, clock)
  }
  return {
    client,
    resource: (def) => createResourceApi(client, def, clock),
    informer,
    waitFor: wait,
    discover: createDiscovery(client),
    exec: createExec(client),
    pods: createPods(client, wait, clock),
    workloads: createWorkloads(client, informer, clock),
    ...rest,
    get patient() {
      return patient()
    },
  }
}
