import { findProcess } from './space.ts'
import type { Folders } from '../machine/folders.ts'
import { isAlive } from '../machine/processes.ts'
import { findCluster } from './cluster.ts'
import { isNodeReady } from './health.ts'
import { contextName } from './certificates.ts'
import { apiPort, clusterPrograms, kubeconfigFile, redisPort, s3Port, servicePrograms } from './programs.ts'
import { join } from 'node:path'

/** What a person wants to know of the cluster, in lines of text. */
export async function clusterStatus(folders: Folders): Promise<string> {
  const cluster = findCluster(folders)
  if (!cluster) return `cluster ${folders.name}: not running (start it by \`npm run cluster -- up\`)`
  const { network, state, s3 } = cluster
  const ready = await isNodeReady(cluster).catch(() => false)
  const programs = [...servicePrograms, ...clusterPrograms].map((name) => {
    const record = findProcess(state, name)
    return `  ${name.padEnd(24)} ${isAlive(record) ? `pid ${record.pid}` : 'not running'}`
  })
  return [
    `cluster ${folders.name}: ${ready ? 'ready' : 'not ready'}`,
    `  kubeconfig  ${kubeconfigFile(state)} (context ${contextName}; API server https://${network.nodeIp}:${apiPort})`,
    `  kubectl     ${join(state, 'bin', 'kubectl')}`,
    `  S3          http://${network.nodeIp}:${s3Port} region ${s3.region}, from the machine and from pods; keys in ${join(state, 'cluster.json')}`,
    `  Redis       redis://${network.nodeIp}:${redisPort}`,
    `  this machine, as pods see it: ${network.hostIp}`,
    `  logs        ${join(state, 'logs')}`,
    ...programs,
  ].join('\n')
}
