import { existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { downCluster, findCluster, upCluster } from '../../harness/cluster/cluster.ts'
import { isNodeReady, isRedisReady } from '../../harness/cluster/health.ts'
import { findProcess, findSpace } from '../../harness/cluster/space.ts'
import { run } from '../../harness/machine/command.ts'
import { harnessFolders } from '../../harness/machine/folders.ts'
import { isAlive, signalProcess } from '../../harness/machine/processes.ts'
import { programHandle } from '../../harness/world/program-handle.ts'

/** A second cluster beside the one that other tests use. */
const folders = harnessFolders({ ...process.env, HOLDFAST_CLUSTER: 'harness-test' })

describe('the test cluster', () => {
  beforeAll(() => downCluster(folders))
  afterAll(() => downCluster(folders))

  it('starts, is taken over as it is, and gets back what died in it', async () => {
    const first = await upCluster(folders)
    expect(first.started).toBe(true)
    expect(await isNodeReady(first.cluster)).toBe(true)

    for (const name of ['kube-apiserver', 'kubelet', 'redis', 'etcd', 's3'] as const) {
      signalProcess(findProcess(folders.state, name), 'SIGKILL')
    }
    const second = await upCluster(folders)

    expect(second.started).toBe(false)
    expect(second.cluster.network).toEqual(first.cluster.network)
    expect(await isNodeReady(second.cluster)).toBe(true)
  })

  it('lets a test kill a server and start it again with its data', async () => {
    const { cluster } = await upCluster(folders)
    const redis = programHandle(cluster, 'redis')
    const before = redis.pid

    await redis.kill()
    expect(await isRedisReady(cluster)).toBe(false)
    await redis.start()

    expect(redis.pid).not.toBe(before)
    expect(await isRedisReady(cluster)).toBe(true)
  })

  it('starts afresh when its node was killed', async () => {
    const { cluster } = await upCluster(folders)
    const etcd = findProcess(folders.state, 'etcd')
    signalProcess(findSpace(folders.state)?.init, 'SIGKILL')

    const next = await upCluster(folders)

    expect(next.started).toBe(true)
    expect(isAlive(etcd)).toBe(false)
    expect(next.cluster.s3.secretKey).not.toBe(cluster.s3.secretKey)
  })

  it('leaves no process, link, route, cgroup or file when it is stopped', async () => {
    const { cluster } = await upCluster(folders)
    const kubelet = findProcess(folders.state, 'kubelet')

    await downCluster(folders)

    expect(isAlive(kubelet)).toBe(false)
    expect(findCluster(folders)).toBeUndefined()
    expect(existsSync(folders.state)).toBe(false)
    expect(await run('ip', ['link'])).not.toContain(cluster.network.link)
    expect(await run('ip', ['route'])).not.toContain(cluster.network.nodeIp)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(folders.state)
    expect(await run('find', ['/sys/fs/cgroup', '-name', cluster.cgroup])).toBe('')
  })
})
