import { systemClock } from '../base/clock.ts'
import { CatalogImportController } from '../controllers/catalog-import/controller.ts'
import { CatalogController } from '../controllers/catalog/controller.ts'
import { ProofController } from '../controllers/proof/controller.ts'
import { RetentionController } from '../controllers/retention/controller.ts'
import { startOperator } from '../controllers/runtime/start-operator.ts'
import { ScheduleController } from '../controllers/schedule/controller.ts'
import { VerificationController } from '../controllers/verification/controller.ts'
import { ScheduleMeter } from '../controllers/schedule/meter.ts'
import { makeTestApplication, refuseWithoutRights } from '../recovery/test-restore.ts'
import { getFunction } from '../functions/registry.ts'
import { BullAdder } from '../queue/bull.ts'
import { queueName } from '../queue/queue.ts'
import { StorePool } from '../store/store-pool.ts'
import { startWebhooks } from '../webhooks/start-webhooks.ts'
import { engineIdentity } from './engine-identity.ts'
import { catalogOpener } from './open-catalog.ts'
import { ownIdentity } from './own-identity.ts'
import { proofPlaceOpener } from './proof-place.ts'
import { placeOpener } from './recovery-place.ts'
import type { Process, RunningPart } from './run.ts'
import { version } from './version.ts'

/** The controllers of this installation, and what the API server asks before it takes an object. */
export async function startOperatorPart({
  config,
  kube,
  log,
  metrics,
  namespace,
  watchNamespaces,
}: Process): Promise<RunningPart> {
  const { installationId } = await engineIdentity(kube, namespace, config)
  const stores = new StorePool(ownIdentity(process.env))
  const openCatalog = catalogOpener(kube, namespace, installationId, stores)
  const queue = new BullAdder({ redisUrl: config.redisUrl, log, name: queueName(namespace) })
  const operator = startOperator({
    kube,
    queue,
    findFunction: getFunction,
    clock: systemClock,
    log: log.child({ part: 'operator' }),
    namespace,
    watchNamespaces,
    identity: config.workerName,
    controllers: [
      (each, events) =>
        new ScheduleController({
          kube,
          events,
          clock: systemClock,
          log: log.child({ part: 'schedules' }),
          namespace: each,
          engineNamespace: namespace,
          meter: new ScheduleMeter(metrics, each),
        }),
      (each) =>
        new CatalogController({
          kube,
          openCatalog,
          clock: systemClock,
          log: log.child({ part: 'catalog' }),
          namespace: each,
          ...(config.defaultProfile ? { defaultProfile: config.defaultProfile } : {}),
        }),
      (each, events) =>
        new ProofController({
          kube,
          openCatalog,
          events,
          clock: systemClock,
          log: log.child({ part: 'proofs' }),
          namespace: each,
          ...(config.defaultProfile ? { defaultProfile: config.defaultProfile } : {}),
        }),
      (each, events) =>
        new CatalogImportController({
          kube,
          openPlace: placeOpener(kube, namespace, stores),
          events,
          clock: systemClock,
          log: log.child({ part: 'imports' }),
          namespace: each,
          engineNamespace: namespace,
          installation: installationId,
        }),
      (each, events) =>
        new RetentionController({
          kube,
          openCatalog,
          events,
          clock: systemClock,
          log: log.child({ part: 'retention' }),
          metrics,
          namespace: each,
          ...(config.defaultProfile ? { defaultProfile: config.defaultProfile } : {}),
        }),
      (each, events) =>
        new VerificationController({
          kube,
          events,
          clock: systemClock,
          log: log.child({ part: 'verifications' }),
          namespace: each,
          atOnce: config.verificationsAtOnce,
          openPlace: proofPlaceOpener(kube, namespace, installationId, stores),
          engineVersion: version,
          makeTestApplication,
          refuseWithoutRights,
        }),
    ],
    settings: {
      perNamespace: config.namespaceConcurrency,
      objectTimeoutMs: config.queueTimeoutMs,
      removal: {
        ...(config.ttlAfterFinishedMs === undefined ? {} : { ttlMs: config.ttlAfterFinishedMs }),
        ...(config.keepComplete === undefined ? {} : { keepComplete: config.keepComplete }),
        ...(config.keepFailed === undefined ? {} : { keepFailed: config.keepFailed }),
      },
    },
  })
  const webhooks =
    config.webhookPort === 0
      ? undefined
      : startWebhooks({
          kube,
          clock: systemClock,
          log: log.child({ part: 'webhook' }),
          namespace,
          watchNamespaces,
          port: config.webhookPort,
        })
  operator.ready.then(
    () => log.info({ namespace }, 'leads'),
    () => undefined, // `done` says it too.
  )
  return {
    // One that waits for the Lease of another is ready: a rollout replaces the leader only when its successor is ready.
    ready: Promise.resolve(),
    done: operator.done,
    trouble: () => operator.trouble(),
    close: async () => {
      await webhooks?.close()
      await operator.close()
      await queue.close()
      await stores.close()
    },
  }
}
