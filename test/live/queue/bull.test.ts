import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BullAdder, BullSource } from '../../../src/queue/bull.ts'
import { jobId, type Job } from '../../../src/queue/queue.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { jobQueueConformance } from '../../conformance/job-queue.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

// A Redis of this file alone: it is killed and wiped here.
const folder = mkdtempSync(join(tmpdir(), 'holdfast-queue-'))
let port = 0
let server: ChildProcess | undefined
let names = 0

async function start(): Promise<void> {
  server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', '--maxmemory-policy', 'noeviction'],
    { stdio: 'ignore' },
  )
  const probe = new Redis(url(), { maxRetriesPerRequest: 0, lazyConnect: true, retryStrategy: () => null })
  probe.on('error', () => undefined)
  await waitFor('redis-server', async () => {
    const client = probe.duplicate()
    client.on('error', () => undefined)
    try {
      await client.connect()
      return (await client.ping()) === 'PONG'
    } finally {
      client.disconnect()
    }
  })
}

async function stop(): Promise<void> {
  const ended = server && once(server, 'exit')
  server?.kill('SIGKILL')
  await ended
}

function url(): string {
  return `redis://127.0.0.1:${port}`
}

function open(): { adder: BullAdder; source: BullSource } {
  const options = { redisUrl: url(), log: silentLogger, name: `queue-${++names}` }
  return { adder: new BullAdder(options), source: new BullSource(options) }
}

const job: Job = { namespace: 'ns', runName: 'run-u', actionIndex: 0, dispatch: 1 }

beforeAll(async () => {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  port = (probe.address() as AddressInfo).port
  probe.close()
  await start()
})

afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('the queue on BullMQ', () => {
  jobQueueConformance(async () => {
    const queue = open()
    await waitFor('the connection', async () => {
      await queue.adder.add(jobId('probe', 0, 1), job)
      return true
    })
    const drain = queue.source.take(async () => undefined, { concurrency: 1 })
    await waitFor('the probe to be gone', async () => {
      const redis = new Redis(url())
      const keys = await redis.keys(`bull:queue-${names}:probe*`)
      redis.disconnect()
      return keys.length === 0
    })
    await drain.stop(1_000)
    return queue
  })

  test('after Redis was wiped, jobs can be added and are taken', async () => {
    const { adder, source } = open()
    const taken: number[] = []
    source.take(async (each) => void taken.push(each.dispatch), { concurrency: 1 })
    await waitFor('the first job', async () => {
      await adder.add(jobId('u', 0, 1), job)
      return taken.length > 0
    })

    const redis = new Redis(url())
    await redis.flushall()
    redis.disconnect()
    await adder.add(jobId('u', 0, 2), { ...job, dispatch: 2 })

    await waitFor('the second job', () => taken.includes(2), { timeoutMs: 60_000 })
    await Promise.all([adder.close(), source.close()])
  })

  test('while Redis is away adding fails soon and says so; when it is back it is told, and jobs flow again', async () => {
    const { adder, source } = open()
    const taken: number[] = []
    let back = 0
    adder.onReconnect(() => back++)
    const consumer = source.take(async (each) => void taken.push(each.dispatch), { concurrency: 1 })
    await waitFor('the first job', async () => {
      await adder.add(jobId('u', 0, 1), job)
      return taken.length > 0
    })

    await stop()
    await waitFor('the loss to be seen', () => !consumer.healthy, { timeoutMs: 60_000 })
    await expect(adder.add(jobId('u', 0, 2), { ...job, dispatch: 2 })).rejects.toMatchObject({
      code: 'QUEUE_UNAVAILABLE',
      next: 'retry',
    })
    await start()

    await waitFor('word of its return', () => back > 0, { timeoutMs: 60_000 })
    await adder.add(jobId('u', 0, 3), { ...job, dispatch: 3 })
    await waitFor('the third job', () => taken.includes(3), { timeoutMs: 60_000 })
    await Promise.all([adder.close(), source.close()])
  })

  test('a consumer stops in its time although Redis is away', async () => {
    const { adder, source } = open()
    const taken: number[] = []
    const consumer = source.take(async (each) => void taken.push(each.dispatch), { concurrency: 1 })
    await waitFor('the first job', async () => {
      await adder.add(jobId('u', 0, 1), job)
      return taken.length > 0
    })
    await stop()

    await consumer.stop(1_000)

    await start()
    await adder.close()
  })
})
