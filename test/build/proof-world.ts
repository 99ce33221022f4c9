import { names } from '../../src/api/names.ts'
import type { Schedule, ScheduledObject, ScheduleVerification } from '../../src/api/schedule.ts'
import type { Verification, VerificationStatus } from '../../src/api/verification.ts'
import { toRfc3339 } from '../../src/base/clock.ts'
import { deriveCatalogKey } from '../../src/catalog/catalog-key.ts'
import type { Catalog } from '../../src/catalog/open-catalog.ts'
import { renderRecord, type BackupRecord } from '../../src/catalog/record.ts'
import { recordKey } from '../../src/catalog/record-key.ts'
import { ProofController } from '../../src/controllers/proof/controller.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import { MemoryStore } from '../../src/store/memory.ts'
import type { ObjectStore } from '../../src/store/object-store.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { FakeApi, type FakeProcess } from './fake-api.ts'
import { settled, TurnedClock } from './turned-clock.ts'

const restored = [{ name: 'restore', state: 'complete' }]

export const proofStart = Date.parse('2026-06-10T00:30:00Z')
const namespace = 'holdfast'

/** The controller that proves backups by Schedules, on a fake API server and a bucket in memory; the Verifications are ended by the test. */
export class ProofWorld {
  readonly api = new FakeApi()
  readonly clock = new TurnedClock(proofStart)
  readonly bucket = new MemoryStore()
  readonly catalog: Catalog = {
    location: this.bucket,
    key: deriveCatalogKey(Buffer.alloc(32, 1), 'aaaa1111'),
    installation: 'mine',
  }
  /** What opening the catalog fails with. */
  unreachable: Error | undefined
  #controller: ProofController | undefined

  async startEngine(process: FakeProcess = {}, location: ObjectStore = this.bucket): Promise<void> {
    const kube = this.api.kube(process)
    this.#controller = new ProofController({
      kube,
      openCatalog: async () => {
        if (this.unreachable) throw this.unreachable
        return { ...this.catalog, location }
      },
      events: kube.eventSink('test'),
      clock: this.clock,
      log: silentLogger,
      namespace,
    })
    // One that dies here never starts.
    await Promise.race([this.#controller.start(), settled()])
    await this.turn(2_000)
  }

  async stopEngine(): Promise<void> {
    await this.#controller?.close()
    this.#controller = undefined
  }

  /** As SIGKILL: nothing is waited for. */
  forgetEngine(): void {
    this.#controller?.close().catch(() => undefined)
    this.#controller = undefined
  }

  async turn(ms: number): Promise<void> {
    await settled()
    await this.clock.turnTo(this.clock.now() + ms)
    // The store's own steps are not the clock's.
    await settled()
  }

  /** With objects that have a good backup, in status and in the catalog. */
  async schedule(databases: readonly string[], verification: Partial<ScheduleVerification> = {}): Promise<void> {
    const objects: Record<string, ScheduledObject> = {}
    for (const database of databases) {
      await this.backUp(database)
      const since = '2026-06-01T00:00:00Z'
      objects[`shop/statefulset/${database}`] = { since, handled: since, lastSuccess: toRfc3339(this.clock.now()) }
    }
    this.#put({
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Schedule',
      metadata: { name: 'nightly', namespace },
      spec: {
        cron: '@daily',
        action: { blueprint: 'pg', profile: { name: 'p' } },
        verification: { cron: '0 * * * *', check: { subset: '5%' }, restore: {}, ...verification },
      },
      status: { objects },
    })
    await settled()
  }

  edit(change: (schedule: Schedule) => Pick<Schedule, 'spec'> | Pick<Schedule, 'status'>): void {
    const old = this.api.read(ownKinds.schedules, namespace, 'nightly') as Schedule
    this.#put({ ...old, ...change(old) })
  }

  /** A backup that ended now; gives the key of its record. */
  async backUp(database: string, change: Partial<BackupRecord> = {}): Promise<string> {
    const startedAt = toRfc3339(this.clock.now())
    const id = `uid-${database}-${this.clock.now()}-0`
    const record: BackupRecord = {
      id,
      actionSet: { name: `nightly-${database}`, namespace, uid: id.slice(0, -2) },
      schedule: 'nightly',
      action: 'backup',
      object: { kind: 'StatefulSet', namespace: 'shop', name: database },
      blueprint: { name: 'pg' },
      profile: {
        name: 'p',
        namespace,
        location: { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: '', region: '' },
        skipSSLVerify: false,
      },
      artifacts: {},
      phases: [],
      startedAt,
      finishedAt: startedAt,
      installation: { id: 'mine' },
      engineVersion: '0.1.0',
      ...change,
    }
    const key = recordKey(record)
    await this.bucket.put(key, Buffer.from(renderRecord(record, this.catalog.key)))
    return key
  }

  get verifications(): readonly Verification[] {
    return this.api.all(ownKinds.verifications) as unknown as Verification[]
  }

  /** `<object> <hour and minute of the slot>`. */
  get slots(): string[] {
    return this.verifications
      .map(({ metadata }) => {
        const { [names.slot]: slot = '', [names.scheduledObject]: key = '' } = metadata.annotations ?? {}
        return `${slot.slice(11, 16)} ${key.split('/')[2] ?? ''}`
      })
      .toSorted()
  }

  /** Ends all that run, now. */
  end(change: Partial<VerificationStatus> = {}): void {
    const now = this.clock.now()
    for (const { status, ...rest } of this.verifications)
      if (!status?.endedAt) {
        const times = {
          startedAt: toRfc3339(now - 90_000),
          backupAt: toRfc3339(proofStart),
          endedAt: toRfc3339(now),
        }
        this.api.put(ownKinds.verifications, {
          ...rest,
          status: { state: 'complete', steps: restored, ...times, ...change },
        } as never)
      }
  }

  get status(): NonNullable<Schedule['status']> {
    return this.api.read(ownKinds.schedules, namespace, 'nightly')?.status ?? {}
  }

  object(database: string): ScheduledObject | undefined {
    return this.status.objects?.[`shop/statefulset/${database}`]
  }

  get reasons(): string[] {
    return this.api.events.map(({ reason }) => reason)
  }

  #put(schedule: object): void {
    this.api.put(ownKinds.schedules, schedule as Schedule)
  }
}
