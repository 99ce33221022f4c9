import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ensurePauseImage } from '../images/pause-image.ts'
import { importImage } from '../images/import.ts'
import { keyOf } from '../machine/content-key.ts'
import { ensurePackages, packages } from '../machine/debian-packages.ts'
import type { Folders } from '../machine/folders.ts'
import { withLock } from '../machine/lock.ts'
import { isAlive } from '../machine/processes.ts'
import { say, step } from '../machine/steps.ts'
import { ensureGoPrograms, type GoPrograms } from '../parts/go-programs.ts'
import { waitFor } from '../world/wait-for.ts'
import { makeCgroups, removeCgroups } from './cgroups.ts'
import { hasServiceAccount, isApiReady, isNodeReady, isRedisReady, isS3Ready } from './health.ts'
import { closeNetwork, openNetwork } from './network.ts'
import { applyObjects } from './objects.ts'
import { clusterPrograms, nodeProgram, type ProgramName, servicePrograms } from './programs.ts'
import { type ClusterRecord, findClusterRecord, writeClusterRecord } from './record.ts'
import { writeSettings } from './settings.ts'
import { closeSpace, findProcess, findSpace, openSpace, startInSpace } from './space.ts'

/** Raise it when a node is set up in another way, so that one started the old way is not taken over. */
const layout = 2

export interface UpOptions {
  /** Start Kubernetes too, not only S3 and Redis. @default true */
  readonly kubernetes?: boolean
}

export interface UpResult {
  readonly cluster: ClusterRecord
  /** False when a running one was taken over. */
  readonly started: boolean
}

/**
 * Makes the cluster run and be ready. A running one of the same version is taken over, with what is dead in it started
 * again; whatever else an earlier, aborted or rebooted run left is ended and removed first.
 */
export async function upCluster(folders: Folders, options: UpOptions = {}): Promise<UpResult> {
  const [go] = await Promise.all([ensureGoPrograms(folders), ensurePackages(folders, packages.cluster)])
  const pauseArchive = await ensurePauseImage(folders, go.pause)
  const names = options.kubernetes === false ? servicePrograms : [...servicePrograms, ...clusterPrograms]
  return withLock(lockFile(folders), `starting or stopping cluster ${folders.name}`, async () => {
    const found = findTakeover(folders, go)
    if (found) {
      try {
        await startMissing(found, names, pauseArchive)
        return { cluster: found, started: false }
      } catch (error) {
        say(`cluster ${folders.name} cannot be taken over, starting afresh (${String(error)})`)
      }
    }
    await clean(folders)
    return {
      cluster: await step(`starting cluster ${folders.name}`, () => startAll(folders, go, names, pauseArchive)),
      started: true,
    }
  })
}

/** Ends the cluster and removes what it left. Safe when none runs. */
export async function downCluster(folders: Folders): Promise<void> {
  await withLock(lockFile(folders), `starting or stopping cluster ${folders.name}`, () => clean(folders))
}

/** The running cluster, if its first process and its record are there. Says nothing about its health. */
export function findCluster(folders: Folders): ClusterRecord | undefined {
  const record = findClusterRecord(folders.state)
  return record && findSpace(folders.state) ? record : undefined
}

function findTakeover(folders: Folders, go: GoPrograms): ClusterRecord | undefined {
  const record = findCluster(folders)
  return record?.version === versionOf(go) ? record : undefined
}

async function startAll(
  folders: Folders,
  go: GoPrograms,
  names: readonly ProgramName[],
  pauseArchive: string,
): Promise<ClusterRecord> {
  const cgroup = cgroupOf(folders)
  await mkdir(folders.state, { recursive: true, mode: 0o700 })
  await makeCgroups(cgroup)
  const space = await openSpace(folders.state, go.pause)
  const record: ClusterRecord = {
    version: versionOf(go),
    state: folders.state,
    cgroup,
    network: await openNetwork(space.init.pid),
    go,
    s3: { accessKey: randomBytes(10).toString('hex'), secretKey: randomBytes(20).toString('hex'), region: 'us-east-1' },
  }
  await writeSettings(record)
  await writeClusterRecord(record)
  await startMissing(record, names, pauseArchive)
  return record
}

/** Starts those of `names` that do not run, and waits until all of them do their work. */
async function startMissing(cluster: ClusterRecord, names: readonly ProgramName[], pauseArchive: string): Promise<void> {
  const early = names.filter((name) => !needsApi.has(name))
  if (names.includes('containerd')) {
    await awaiting('containerd', early, () => importImage(cluster.state, pauseArchive).then(() => true))
  }
  if (names.includes('kube-apiserver')) await awaiting('the API server', early, () => isApiReady(cluster))
  await awaiting('the S3 server', names, () => isS3Ready(cluster))
  await awaiting('Redis', names, () => isRedisReady(cluster))
  if (!names.includes('kubelet')) return
  await applyObjects(cluster)
  await awaiting('the node to be Ready', names, () => isNodeReady(cluster))
  await awaiting('the default service account', names, () => hasServiceAccount(cluster))

  /** Looks at the programs each time: one that was about to end at the first look is started at a later one. */
  async function awaiting(what: string, programs: readonly ProgramName[], condition: () => Promise<boolean>): Promise<void> {
    const look = async (): Promise<boolean> => {
      for (const name of programs) await startProgram(cluster, name)
      return condition()
    }
    await waitFor(what, look, { timeoutMs: 240_000, unless: () => !findSpace(cluster.state) && 'the node ended' })
  }
}

/** These end by themselves when they find no API server. */
const needsApi: ReadonlySet<ProgramName> = new Set([
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'coredns',
])

/** Starts one program of the cluster unless it runs. */
export async function startProgram(cluster: ClusterRecord, name: ProgramName): Promise<void> {
  if (isAlive(findProcess(cluster.state, name))) return
  const space = findSpace(cluster.state)
  if (!space) throw new Error(`cluster in ${cluster.state} does not run: start it by \`npm run cluster -- up\``)
  await startInSpace(cluster.state, space, nodeProgram(cluster, name))
}

async function clean(folders: Folders): Promise<void> {
  const { state } = folders
  if (!existsSync(state)) return removeCgroups(cgroupOf(folders))
  const record = findClusterRecord(state)
  await step(`stopping cluster ${folders.name}`, async () => {
    await closeSpace(state, cgroupOf(folders))
    if (record) await closeNetwork(record.network)
    // The node's mounts were its own and are gone: this removes files of the state folder only.
    await rm(state, { recursive: true, force: true, maxRetries: 3 })
  })
}

function versionOf(go: GoPrograms): string {
  return keyOf(String(layout), ...Object.values(go))
}

function cgroupOf(folders: Folders): string {
  return `holdfast-${folders.name}`
}

function lockFile(folders: Folders): string {
  return join(folders.cache, 'locks', `cluster-${keyOf(folders.state)}`)
}
