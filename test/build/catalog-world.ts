import type { ActionSet } from '../../src/api/actionset.ts'
import { names } from '../../src/api/names.ts'
import type { Run } from '../../src/api/run.ts'
import type { Retention, Schedule } from '../../src/api/schedule.ts'
import { deriveCatalogKey } from '../../src/catalog/catalog-key.ts'
import { listRecords } from '../../src/catalog/list-records.ts'
import type { Catalog } from '../../src/catalog/open-catalog.ts'
import { renderRecord, type BackupRecord } from '../../src/catalog/record.ts'
import { recordKey } from '../../src/catalog/record-key.ts'
import { CatalogController } from '../../src/controllers/catalog/controller.ts'
import { RetentionController } from '../../src/controllers/retention/controller.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { FakeApi, type FakeProcess } from './fake-api.ts'
import { settled, TurnedClock } from './turned-clock.ts'

const day = 86_400_000
const start = Date.parse('2026-06-10T00:00:00Z')
export const object = { kind: 'StatefulSet', name: 'db', namespace: 'shop' }
const objectKey = 'shop/statefulset/db'

/** What every action of a Run has. */
const journal = { dispatch: 1, fence: { owner: '', instance: '', attempt: 1 }, phases: [] }

/** The controllers that keep a catalog, on a fake API server and a bucket in memory, with backups that have ended. */
export class CatalogWorld {
  readonly api = new FakeApi()
  readonly clock = new TurnedClock(start)
  readonly bucket: MemoryStore
  readonly catalog: Catalog
  #controllers: readonly (CatalogController | RetentionController)[] = []

  /** Several installations may share a bucket, each with a cluster of its own. */
  constructor(bucket = new MemoryStore(), installation = 'mine') {
    this.bucket = bucket
    this.catalog = { location: bucket, key: deriveCatalogKey(Buffer.alloc(32, 1), 'aaaa1111'), installation }
  }

  /** `location`: the bucket as this engine sees it. */
  async startEngine(process: FakeProcess = {}, location: ObjectStore = this.bucket): Promise<void> {
    const kube = this.api.kube(process)
    const openCatalog = async (): Promise<Catalog> => ({ ...this.catalog, location })
    const common = { kube, clock: this.clock, log: silentLogger, namespace: 'holdfast', openCatalog }
    this.#controllers = [
      new CatalogController(common),
      new RetentionController({ ...common, events: kube.eventSink('test'), metrics: createMetrics() }),
    ]
    // One that dies here never starts.
    for (const controller of this.#controllers) await Promise.race([controller.start(), settled()])
    await settled()
    await this.turn(60_000)
  }

  async stopEngine(): Promise<void> {
    for (const controller of this.#controllers) await controller.close()
    this.#controllers = []
  }

  /** As SIGKILL: nothing is waited for. */
  forgetEngine(): void {
    for (const controller of this.#controllers) controller.close().catch(() => undefined)
    this.#controllers = []
  }

  async turn(ms: number): Promise<void> {
    await settled()
    await this.clock.turnTo(this.clock.now() + ms)
    // The store's own steps are not the clock's.
    await settled()
  }

  schedule(retention: Retention): void {
    const made = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Schedule' as const,
      metadata: { name: 'nightly', namespace: 'holdfast' },
      spec: { cron: '@daily', action: { blueprint: 'pg', profile: { name: 'p' } }, retention },
      status: { objects: { [objectKey]: { since: '2026-01-01T00:00:00Z', handled: '2026-01-01T00:00:00Z' } } },
    }
    this.api.put(ownKinds.schedules, made as unknown as Schedule)
  }

  blueprint(actions: object): void {
    this.api.put(ownKinds.blueprints, { kind: 'Blueprint', metadata: { name: 'pg', namespace: 'holdfast' }, actions } as never)
  }

  /** A backup that ended: record in the bucket, Run that says so. */
  async backUp(index: number, change: Partial<BackupRecord> = {}): Promise<string> {
    const startedAt = new Date(start - index * day).toISOString()
    const record: BackupRecord = {
      id: `uid${index}-0`,
      actionSet: { name: `nightly-${index}`, namespace: 'holdfast', uid: `uid${index}` },
      schedule: 'nightly',
      action: 'backup',
      object,
      blueprint: { name: 'pg', body: { actions: { delete: { phases: [] } } } },
      profile: {
        name: 'p',
        namespace: 'holdfast',
        location: { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: '', region: '' },
        skipSSLVerify: false,
      },
      artifacts: { dump: { keyValue: { path: `pg/${index}` } } },
      phases: [],
      startedAt,
      finishedAt: startedAt,
      installation: { id: 'mine' },
      engineVersion: '0.1.0',
      ...change,
    }
    const key = recordKey(record)
    await this.bucket.put(key, Buffer.from(renderRecord(record, this.catalog.key)))
    const run = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Run',
      metadata: { name: `run-uid${index}`, namespace: 'holdfast', labels: { [names.unfinished]: 'false' } },
      spec: {
        actionSet: { name: `nightly-${index}`, uid: `uid${index}` },
        actions: [{ action: { object, profile: { name: 'p' } } }],
      },
      status: { state: 'complete', actions: { '0': { ...journal, state: 'complete', record: key, endedAt: startedAt } } },
    }
    this.api.put(ownKinds.runs, run as unknown as Run)
    return key
  }

  /** A delete action that ended well. */
  deleted(
    index: number,
    change: { readonly artifacts: object; readonly labels?: Record<string, string>; readonly startedAt?: number },
  ): void {
    const startedAt = new Date(change.startedAt ?? start).toISOString()
    const run = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Run',
      metadata: { name: `run-delete${index}`, namespace: 'holdfast', labels: { [names.unfinished]: 'false' } },
      spec: {
        actionSet: { name: `by-hand-${index}`, uid: `delete${index}`, labels: change.labels ?? {} },
        actions: [{ action: { name: 'delete', object, profile: { name: 'p' }, artifacts: change.artifacts } }],
      },
      status: { state: 'complete', actions: { '0': { ...journal, state: 'complete', startedAt, endedAt: startedAt } } },
    }
    this.api.put(ownKinds.runs, run as unknown as Run)
  }

  get removals(): ActionSet[] {
    return this.#actionSets.filter(({ metadata }) => metadata.annotations?.[names.backup] !== undefined)
  }

  get prunes(): ActionSet[] {
    return this.#actionSets.filter(({ metadata }) => metadata.annotations?.[names.prunedRepository] !== undefined)
  }

  get #actionSets(): ActionSet[] {
    return this.api.all(ownKinds.actionSets) as unknown as ActionSet[]
  }

  /** Ends what has not ended. `output`: of its only phase. */
  end(state: 'complete' | 'failed', output?: Record<string, unknown>): void {
    // The fake server's times are of today.
    const creationTimestamp = new Date(this.clock.now()).toISOString()
    const actions = output ? { actions: [{ phases: [{ name: 'only', state, output }] }] } : {}
    for (const { metadata, status, ...rest } of this.#actionSets)
      if (!status) {
        const error = state === 'failed' ? { error: { message: 'denied' } } : {}
        const ended = { ...rest, metadata: { ...metadata, creationTimestamp }, status: { state, ...error, ...actions } }
        this.api.put(ownKinds.actionSets, ended as ActionSet)
      }
  }

  async left(): Promise<string[]> {
    const ids: string[] = []
    for await (const { id } of listRecords(this.bucket)) ids.push(id)
    return ids
  }

  get status(): NonNullable<Schedule['status']>['retention'] {
    return this.api.read(ownKinds.schedules, 'holdfast', 'nightly')?.status?.retention
  }
}
