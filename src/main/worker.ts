import { messageOf } from '../base/errors.ts'
import { systemClock } from '../base/clock.ts'
import { createRecordWriter } from '../catalog/write-record.ts'
import { gatherSurroundings } from '../engine/surroundings.ts'
import { startWorker } from '../engine/start-worker.ts'
import { createRepositories } from '../functions/open-repositories.ts'
import { getFunction } from '../functions/registry.ts'
import { BullSource } from '../queue/bull.ts'
import { queueName } from '../queue/queue.ts'
import { keepTidy } from '../store/janitor.ts'
import { StorePool } from '../store/store-pool.ts'
import { catalogKeys } from './catalog-keys.ts'
import { clusterIdentity, engineIdentity } from './engine-identity.ts'
import { openStoreWith, ownIdentity } from './own-identity.ts'
import { createRenderer } from './renderer.ts'
import type { Process, RunningPart } from './run.ts'
import { version } from './version.ts'

/** Runs phases. */
export async function startWorkerPart({
  config,
  kube,
  log,
  metrics,
  namespace,
  watchNamespaces,
  instance,
}: Process): Promise<RunningPart> {
  const engine = await engineIdentity(kube, namespace, config)
  const jobs = new BullSource({ redisUrl: config.redisUrl, log, name: queueName(namespace) })
  const stores = new StorePool(ownIdentity(process.env))
  const tidying = new AbortController()
  const tidied = keepTidy(stores, {
    clock: systemClock,
    signal: tidying.signal,
    report: ({ store, removed, error }) => {
      if (error === undefined) log.info({ store, removed }, 'abandoned uploads removed')
      else log.warn({ store, error: messageOf(error) }, 'abandoned uploads could not be looked for')
    },
  })
  const worker = startWorker({
    kube,
    jobs,
    findFunction: getFunction,
    renderer: createRenderer(systemClock),
    repositories: createRepositories({
      kube: kube.patient,
      namespace,
      holder: `${config.workerName}/${instance}`,
      clock: systemClock,
      openStore: openStoreWith(process.env),
      onRecoveryKey: ({ exported }) => metrics.set('holdfast_recovery_key_exported', exported ? 1 : 0),
    }),
    openStore: (profile) => Promise.resolve(stores.open(profile)),
    writeRecord: createRecordWriter({
      openStore: (profile) => Promise.resolve(stores.open(profile)),
      catalogKey: catalogKeys(kube.patient, namespace),
      surroundings: (backup, signal) => gatherSurroundings(kube, backup, signal),
      installationId: engine.installationId,
      engineVersion: version,
      ...(await clusterIdentity(kube)),
    }),
    ...(config.defaultProfile ? { defaultProfile: config.defaultProfile } : {}),
    engine,
    clock: systemClock,
    log: log.child({ part: 'worker' }),
    worker: { name: config.workerName, instance },
    watchNamespaces,
    settings: { concurrency: config.concurrency },
  })
  return {
    ready: worker.ready,
    done: worker.done,
    close: async () => {
      await worker.close()
      await jobs.close()
      tidying.abort(new Error('shutdown'))
      await tidied
      await stores.close()
    },
  }
}
