import { run, runFully } from '../machine/command.ts'

/**
 * The addresses of one cluster: `10.X.0.0/16`, X chosen when it starts.
 *
 * | part            | for                                                              |
 * | --------------- | ---------------------------------------------------------------- |
 * | 10.X.0.1        | the machine, on the link to the node                             |
 * | 10.X.0.2        | the node: API server, kubelet, DNS, S3, Redis, NodePorts         |
 * | 10.X.64.0/18    | Services                                                         |
 * | 10.X.128.0/17   | pods                                                             |
 *
 * The machine routes the /16 to the node, so a process on the machine reaches pods and Services as a pod does, and a pod
 * reaches a server on the machine that listens on 10.X.0.1 or on all addresses.
 */
export interface Network {
  readonly subnet: number
  readonly hostIp: string
  readonly nodeIp: string
  readonly serviceCidr: string
  /** Where pods find the API server: the first Service address. */
  readonly apiServiceIp: string
  readonly podCidr: string
  /** The machine's end of the link; unique, so it also reserves the subnet. */
  readonly link: string
}

export function networkOf(subnet: number): Network {
  const base = `10.${subnet}`
  return {
    subnet,
    hostIp: `${base}.0.1`,
    nodeIp: `${base}.0.2`,
    serviceCidr: `${base}.64.0/18`,
    apiServiceIp: `${base}.64.1`,
    podCidr: `${base}.128.0/17`,
    link: `holdfast${subnet}`,
  }
}

const firstSubnet = 90
const lastSubnet = 126

/** Links the node's namespaces (those of process `pid`) to the machine in the first free subnet. */
export async function openNetwork(pid: number): Promise<Network> {
  const taken = await usedSubnets()
  for (let subnet = firstSubnet; subnet <= lastSubnet; subnet++) {
    if (taken.has(subnet)) continue
    const network = networkOf(subnet)
    if (await addLink(network, pid)) return network
  }
  throw new Error(`no free network: all of 10.${firstSubnet}.0.0/16 to 10.${lastSubnet}.0.0/16 are in use (see \`ip route\`)`)
}

/** The kernel removes the link with the node's namespace, but in its own time. */
export async function closeNetwork(network: Network): Promise<void> {
  await runFully('ip', ['link', 'delete', network.link], { accept: [0, 1] })
}

async function addLink(network: Network, pid: number): Promise<boolean> {
  const { link, hostIp, nodeIp, subnet } = network
  try {
    await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'node0', 'netns', String(pid)])
  } catch (error) {
    // Another cluster that starts at the same time took the name; any other failure would repeat for all.
    if (String(error).includes('File exists')) return false
    throw error
  }
  await run('ip', ['addr', 'add', `${hostIp}/30`, 'dev', link])
  await run('ip', ['link', 'set', link, 'up'])
  const inside = ['-t', String(pid), '-n', '--']
  await run('nsenter', [...inside, 'ip', 'addr', 'add', `${nodeIp}/30`, 'dev', 'node0'])
  await run('nsenter', [...inside, 'ip', 'link', 'set', 'node0', 'up'])
  await run('nsenter', [...inside, 'ip', 'route', 'add', 'default', 'via', hostIp])
  await run('ip', ['route', 'add', `10.${subnet}.0.0/16`, 'via', nodeIp])
  return true
}

async function usedSubnets(): Promise<ReadonlySet<number>> {
  const text = (await run('ip', ['-4', 'route', 'show', 'table', 'all'])) + (await run('ip', ['-4', '-o', 'addr']))
  return new Set(Array.from(text.matchAll(/\b10\.(\d+)\.\d+\.\d+/g), (match) => Number(match[1])))
}
