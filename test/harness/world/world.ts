import { join } from 'node:path'
import { contextName } from '../cluster/certificates.ts'
import { upCluster } from '../cluster/cluster.ts'
import { kubeconfigFile, type ProgramName, redisPort, s3Port } from '../cluster/programs.ts'
import type { ClusterRecord } from '../cluster/record.ts'
import type { DockerfileImage } from '../images/dockerfile-image.ts'
import { ensureImage, type HarnessImage, harnessImages } from '../images/ensure-image.ts'
import { nameImage } from '../images/import.ts'
import { type CommandOptions, run } from '../machine/command.ts'
import { harnessFolders } from '../machine/folders.ts'
import { currentContext } from './kubeconfig.ts'
import { type ProgramHandle, programHandle } from './program-handle.ts'

/** An S3 server that tests may fill as they like. */
export interface WorldS3 {
  /** As this machine reaches it, `http://10.90.0.2:9000`. */
  readonly endpoint: string
  /** As a pod of the cluster reaches it. */
  readonly podEndpoint: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
}

/** The real servers around a test. */
export interface World {
  readonly kubeconfig: string
  readonly context: string
  readonly s3: WorldS3
  /** `redis://host:port`, reachable from this machine and from pods. */
  readonly redisUrl: string
  /** This machine as a pod reaches it (servers must listen on this address or on all); unknown for a foreign cluster. */
  readonly hostIp: string | undefined
  /** Path of a kubectl of the cluster's version. */
  readonly kubectlPath: string
  /** Runs kubectl and gives its stdout; a failure carries what it said. */
  kubectl(args: readonly string[], options?: CommandOptions): Promise<string>
  /** Lets pods of the cluster use the image under the name returned. */
  image(image: HarnessImage | DockerfileImage): Promise<string>
  /** Lets pods find an image that `image` gave under another full name too, such as one that a Blueprint has. */
  nameImage(image: string, name: string): Promise<void>
  /** To kill and start again one of the servers. Only for those that the harness started. */
  program(name: ProgramName): ProgramHandle
}

/**
 * Gives the world, starting what does not run: the first call on a fresh machine takes minutes, on a running cluster half
 * a second. Nothing is stopped at the end, so calls are cheap and files may run in any order.
 *
 * With `HOLDFAST_USE_CLUSTER=1` the cluster is the one of `KUBECONFIG` and its current context; S3 and Redis are still
 * ours, unless `HOLDFAST_S3_ENDPOINT` (with `…_POD_ENDPOINT`, `…_REGION`, `…_ACCESS_KEY`, `…_SECRET_KEY`) and `REDIS_URL`
 * name others: pods of a foreign cluster most likely cannot reach this machine.
 */
export async function openWorld(env: NodeJS.ProcessEnv = process.env): Promise<World> {
  const folders = harnessFolders(env)
  const foreign = env['HOLDFAST_USE_CLUSTER'] === '1'
  const { cluster } = await upCluster(folders, { kubernetes: !foreign })
  const kubeconfig = foreign ? foreignKubeconfig(env) : kubeconfigFile(folders.state)
  const kubectlPath = join(folders.state, 'bin', 'kubectl')
  return {
    kubeconfig,
    context: foreign ? await currentContext(kubeconfig) : contextName,
    s3: s3Of(cluster, env),
    redisUrl: env['REDIS_URL'] || `redis://${cluster.network.nodeIp}:${redisPort}`,
    hostIp: foreign ? undefined : cluster.network.hostIp,
    kubectlPath,
    kubectl: (args, options) => run(kubectlPath, args, { ...options, env: { ...options?.env, KUBECONFIG: kubeconfig } }),
    image: (image) => (foreign ? foreignImage(image) : ensureImage(folders, image)),
    nameImage: async (image, name) => (foreign ? undefined : nameImage(folders.state, image, name)),
    program: (name) => programHandle(cluster, name),
  }
}

function s3Of(cluster: ClusterRecord, env: NodeJS.ProcessEnv): WorldS3 {
  const endpoint = env['HOLDFAST_S3_ENDPOINT']
  const own = `http://${cluster.network.nodeIp}:${s3Port}`
  if (!endpoint) return { endpoint: own, podEndpoint: own, ...cluster.s3 }
  return {
    endpoint,
    podEndpoint: env['HOLDFAST_S3_POD_ENDPOINT'] || endpoint,
    region: env['HOLDFAST_S3_REGION'] || 'us-east-1',
    accessKey: env['HOLDFAST_S3_ACCESS_KEY'] ?? '',
    secretKey: env['HOLDFAST_S3_SECRET_KEY'] ?? '',
  }
}

function foreignKubeconfig(env: NodeJS.ProcessEnv): string {
  const file = env['KUBECONFIG']
  if (!file) throw new Error('HOLDFAST_USE_CLUSTER=1 needs KUBECONFIG: the path of one kubeconfig file')
  return file
}

/** A foreign cluster pulls its images itself: the name is all we can give. */
async function foreignImage(image: HarnessImage | DockerfileImage): Promise<string> {
  return typeof image === 'object' ? image.name : harnessImages[image]
}
