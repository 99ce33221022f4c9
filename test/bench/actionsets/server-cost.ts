import type { ProgramName } from '../../harness/cluster/programs.ts'
import { cpuSecondsOf } from './engine.ts'
import type { Place } from './place.ts'

/** What a piece of work cost the cluster. */
export interface ServerCost {
  /** Requests by `VERB resource`, of the resources that the engine uses. Those of the bench itself are among them. */
  readonly requests: Readonly<Record<string, number>>
  /** CPU seconds by program; none for a cluster that is not the harness's. */
  readonly cpuSeconds: Readonly<Record<string, number>>
}

const counted = new Set(['actionsets', 'runs', 'blueprints', 'events', 'namespaces', 'pods', 'pods/exec'])
const programs: readonly ProgramName[] = ['kube-apiserver', 'etcd', 'containerd', 'kubelet', 'redis']

/** Runs the work and says what it cost, from the API server's own counters. */
export async function withServerCost(place: Place, work: () => Promise<void>): Promise<ServerCost> {
  const before = await look(place)
  await work()
  const after = await look(place)
  return { requests: less(after.requests, before.requests), cpuSeconds: less(after.cpuSeconds, before.cpuSeconds) }
}

async function look({ world }: Place): Promise<ServerCost> {
  const text = await world.kubectl(['get', '--raw', '/metrics'])
  const requests: Record<string, number> = {}
  for (const [, labels = '', value] of text.matchAll(/^apiserver_request_total\{(.*)\} (\S+)$/gm)) {
    const { verb, resource, subresource } = Object.fromEntries(
      [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, text]) => [name, text]),
    ) as Partial<Record<string, string>>
    const what = subresource ? `${resource}/${subresource}` : `${resource}`
    if (!counted.has(what)) continue
    requests[`${verb} ${what}`] = (requests[`${verb} ${what}`] ?? 0) + Number(value)
  }
  const cpuSeconds: Record<string, number> = {}
  for (const name of programs) {
    const { pid } = world.program(name)
    if (pid !== undefined) cpuSeconds[name] = cpuSecondsOf(pid)
  }
  return { requests, cpuSeconds }
}

function less(after: Readonly<Record<string, number>>, before: Readonly<Record<string, number>>): Record<string, number> {
  const entries = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
  return Object.fromEntries(entries.filter(([, value]) => value > 0))
}
