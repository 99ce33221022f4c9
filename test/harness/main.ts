import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { downCluster, findCluster, upCluster } from './cluster/cluster.ts'
import { kubeconfigFile } from './cluster/programs.ts'
import { ensureImage, type HarnessImage, harnessImages } from './images/ensure-image.ts'
import { buildAll } from './build-all.ts'
import { harnessFolders } from './machine/folders.ts'
import { clusterStatus } from './cluster/status.ts'

const usage = `npm run cluster -- <command>

  up          start the test cluster, or take over a running one; ready when it returns
  down        stop it and remove its state
  status      what runs, where it listens, where its files are
  kubeconfig  print the path of its kubeconfig:  export KUBECONFIG=$(npm run -s cluster -- kubeconfig)
  kubectl …   run kubectl against it
  image NAME  give the cluster an image of test/harness/images (debian, postgres)
  build       build and fetch all that a first start would, and start nothing

HOLDFAST_CLUSTER=name works on another cluster of this machine than the default one.`

async function main(args: readonly string[]): Promise<number> {
  const folders = harnessFolders()
  switch (args[0]) {
    case 'up': {
      await upCluster(folders)
      process.stdout.write(`${await clusterStatus(folders)}\n`)
      return 0
    }
    case 'down':
      await downCluster(folders)
      return 0
    case 'status':
      process.stdout.write(`${await clusterStatus(folders)}\n`)
      return findCluster(folders) ? 0 : 1
    case 'kubeconfig':
      process.stdout.write(`${kubeconfigFile(folders.state)}\n`)
      return findCluster(folders) ? 0 : 1
    case 'kubectl': {
      const kubectl = join(folders.state, 'bin', 'kubectl')
      const env = { ...process.env, KUBECONFIG: kubeconfigFile(folders.state) }
      return spawnSync(kubectl, args.slice(1), { stdio: 'inherit', env }).status ?? 1
    }
    case 'image':
      for (const name of args.slice(1)) process.stdout.write(`${await ensureImage(folders, imageNamed(name))}\n`)
      return 0
    case 'build':
      await buildAll(folders)
      return 0
    default:
      process.stderr.write(`${usage}\n`)
      return 64
  }
}

function imageNamed(name: string): HarnessImage {
  if (name in harnessImages) return name as HarnessImage
  throw new Error(`no image named ${name}: known are ${Object.keys(harnessImages).join(', ')}`)
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  // The message says what to do; HOLDFAST_DEBUG=1 adds where it came from.
  const text = error instanceof Error ? (process.env['HOLDFAST_DEBUG'] === '1' && error.stack) || error.message : String(error)
  process.stderr.write(`holdfast: ${text}\n`)
  process.exitCode = 1
}
