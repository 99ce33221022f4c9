import { randomBytes } from 'node:crypto'
import { aborted } from '../base/aborted.ts'
import { messageOf } from '../base/errors.ts'
import type { Kube } from '../kube/kube.ts'
import { openKube } from '../kube/open.ts'
import { jsonLogger } from '../telemetry/json-logger.ts'
import type { Logger } from '../telemetry/logger.ts'
import { createMetrics, type Metrics } from '../telemetry/metrics.ts'
import { readConfig, type Config } from './config.ts'
import { startHealthServer } from './health-server.ts'
import { shutdownSignal } from './shutdown.ts'
import { version } from './version.ts'

/** Which parts this process runs. All are the same code. */
export interface Parts {
  readonly operator: boolean
  readonly worker: boolean
}

/** What every part gets. */
export interface Process {
  readonly config: Config
  readonly namespace: string
  /** The engine's own and the further ones, each once. */
  readonly watchNamespaces: readonly string[]
  readonly kube: Kube
  readonly log: Logger
  readonly metrics: Metrics
  /** New with each start. */
  readonly instance: string
}

/** A part that runs. */
export interface RunningPart {
  readonly ready: Promise<void>
  /** Rejects when the part cannot go on and the process should end. */
  readonly done: Promise<void>
  /** What keeps it from its work although it runs, and what to do; undefined when nothing does. */
  readonly trouble?: () => string | undefined
  close(): Promise<void>
}

/** Longest time for a graceful end, in ms; the pods' grace period in the manifest is longer. */
const graceMs = 25_000

/** Starts the parts, answers probes, ends on SIGTERM or when a part cannot go on. The exit code says which. */
export async function main(parts: Parts): Promise<void> {
  const config = readConfig(process.env)
  const log = jsonLogger({ level: config.logLevel, fd: 2, fields: { version } })
  const signal = shutdownSignal(log, graceMs)
  const kube = await openKube({ env: process.env, ...(config.kubeContext ? { context: config.kubeContext } : {}) })
  const namespace = config.namespace || kube.client.namespace
  const shared: Process = {
    config,
    namespace,
    watchNamespaces: [...new Set([namespace, ...config.watchNamespaces])],
    kube,
    log,
    metrics: createMetrics(),
    instance: randomBytes(4).toString('hex'),
  }
  const running = await startParts(parts, shared)
  const state = { ready: false }
  const health = await startHealthServer({
    port: config.healthPort,
    livenessPath: config.livenessPath,
    readinessPath: config.readinessPath,
    whyNotReady: () => {
      if (signal.aborted) return 'it is being stopped'
      if (!state.ready) return 'it is starting'
      return running.map(({ trouble }) => trouble?.()).find((text) => text !== undefined)
    },
    metrics: () => shared.metrics.text(),
  })
  log.info({ namespace, parts: Object.keys(parts).filter((name) => parts[name as keyof Parts]), port: health.port }, 'started')
  try {
    await Promise.race([aborted(signal), allReady(running, state, log), ...running.map((part) => part.done)])
  } catch (error) {
    log.error({ error: messageOf(error) }, 'cannot go on')
    process.exitCode = 1
  }
  await Promise.allSettled(running.map((part) => part.close()))
  await Promise.allSettled([health.close(), kube.close()])
  log.info({}, 'ended')
  // A library may hold a socket open; everything of ours is closed.
  process.exit()
}

async function startParts(parts: Parts, shared: Process): Promise<RunningPart[]> {
  const running: RunningPart[] = []
  if (parts.operator) running.push(await (await import('./operator.ts')).startOperatorPart(shared))
  if (parts.worker) running.push(await (await import('./worker.ts')).startWorkerPart(shared))
  return running
}

/** Settles only by failing: being ready is no end. */
async function allReady(running: readonly RunningPart[], state: { ready: boolean }, log: Logger): Promise<never> {
  await Promise.all(running.map((part) => part.ready))
  state.ready = true
  log.info({}, 'ready')
  return await new Promise<never>(() => undefined)
}
