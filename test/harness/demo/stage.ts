import { join } from 'node:path'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import { upCluster } from '../cluster/cluster.ts'
import { kubeconfigFile } from '../cluster/programs.ts'
import { ensureEngineImage } from '../images/engine-image.ts'
import { ensureImage } from '../images/ensure-image.ts'
import { harnessFolders } from '../machine/folders.ts'
import { Kubectl } from './kubectl.ts'
import type { Narrator } from './narrator.ts'

/** Where the demo plays: a cluster and an S3 server that its pods can reach. */
export interface Stage {
  readonly kubectl: Kubectl
  readonly s3: {
    readonly endpoint: string
    readonly region: string
    readonly bucket: string
    readonly accessKey: string
    readonly secretKey: string
  }
  /** How to look around and how to stop, for the end. */
  readonly farewell: string
}

const bucket = 'holdfast-demo'

/** A cluster of our own on this machine, with all that is needed. */
export async function ownStage(narrator: Narrator): Promise<Stage> {
  const folders = harnessFolders()
  const { cluster } = await narrator.step('A Kubernetes cluster, an S3 server and Redis on this machine', () =>
    upCluster(folders),
  )
  await narrator.step('Images of PostgreSQL, Redis and Holdfast', async () => {
    await ensureImage(folders, 'postgres')
    await ensureImage(folders, 'redis')
    await ensureEngineImage(folders)
  })
  const endpoint = `http://${cluster.network.nodeIp}:9000`
  await makeBucket(endpoint, cluster.s3)
  const kubeconfig = kubeconfigFile(cluster.state)
  const program = join(cluster.state, 'bin', 'kubectl')
  return {
    kubectl: new Kubectl({ program, kubeconfig }),
    s3: { endpoint, bucket, ...cluster.s3 },
    farewell: [
      'The cluster is still up. Look around:',
      `  export KUBECONFIG=${kubeconfig} PATH=$PWD/bin:${join(cluster.state, 'bin')}:$PATH`,
      '  kubectl get actionsets,runs -n holdfast',
      '  kubectl get pods -A',
      '  kubectl create actionset --help',
      '  holdfast backup list -n holdfast --profile bucket',
      'What to try next: docs/tutorial.md, from step 3.',
      'Stop it:',
      '  npm run demo -- --down',
    ].join('\n'),
  }
}

/** A cluster of the user's: its images must be pullable there and an S3 server reachable; both are said by the environment. */
export async function theirStage(context: string): Promise<Stage> {
  const need = (name: string): string => {
    const value = process.env[name]
    if (!value) throw new Error(`--context needs ${name}: an S3 server that the pods of that cluster and this machine reach`)
    return value
  }
  const s3 = {
    endpoint: need('HOLDFAST_DEMO_S3_ENDPOINT'),
    accessKey: need('HOLDFAST_DEMO_S3_ACCESS_KEY'),
    secretKey: need('HOLDFAST_DEMO_S3_SECRET_KEY'),
    region: process.env['HOLDFAST_DEMO_S3_REGION'] ?? 'us-east-1',
    bucket: process.env['HOLDFAST_DEMO_S3_BUCKET'] ?? bucket,
  }
  await makeBucket(s3.endpoint, s3, s3.bucket)
  return {
    kubectl: new Kubectl({ program: 'kubectl', context }),
    s3,
    farewell: [
      'Remove what the demo made; its CRDs stay, since a Kanister may use them (docs/install.md):',
      `  kubectl --context ${context} delete namespace shop holdfast`,
      `  kubectl --context ${context} delete clusterrole,clusterrolebinding,validatingwebhookconfiguration -l app.kubernetes.io/part-of=holdfast`,
    ].join('\n'),
  }
}

async function makeBucket(
  endpoint: string,
  keys: { readonly accessKey: string; readonly secretKey: string; readonly region: string },
  name = bucket,
): Promise<void> {
  const client = new S3Client({
    endpoint,
    region: keys.region,
    forcePathStyle: true,
    credentials: { accessKeyId: keys.accessKey, secretAccessKey: keys.secretKey },
  })
  try {
    await client.send(new CreateBucketCommand({ Bucket: name }))
  } catch (error) {
    if (!['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes((error as Error).name)) throw error
  } finally {
    client.destroy()
  }
}
