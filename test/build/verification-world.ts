import type { ActionSet } from '../../src/api/actionset.ts'
import type { Blueprint } from '../../src/api/blueprint.ts'
import type { Verification, VerificationSpec, VerificationStatus } from '../../src/api/verification.ts'
import { VerificationController } from '../../src/controllers/verification/controller.ts'
import { kinds, type Namespace } from '../../src/kube/kinds.ts'
import { ownKinds } from '../../src/kube/own-kinds.ts'
import type { RecoveryPlace } from '../../src/recovery/place.ts'
import type { makeTestApplication } from '../../src/recovery/test-restore.ts'
import { recoveryError } from '../../src/recovery/errors.ts'
import { silentLogger } from '../../src/telemetry/logger.ts'
import { FakeApi, type FakeProcess } from './fake-api.ts'
import { settled, TurnedClock } from './turned-clock.ts'

const start = Date.parse('2026-06-10T00:00:00Z')
export const installation = 'mine'

type Artifacts = Readonly<Record<string, { readonly keyValue: Readonly<Record<string, string>> }>>

/** Proofs on a fake API server, with a bucket that is real and workers that do as they are told. */
export class VerificationWorld {
  readonly api = new FakeApi()
  readonly clock = new TurnedClock(start)
  readonly place: RecoveryPlace
  readonly recorded: Artifacts
  /** What `verify` finds in what was restored. */
  found: Artifacts
  /** What the engine may not do. */
  missingRight = ''
  /** How each ActionSet ends, by the name of its action; undefined leaves it as it is. */
  ends: (action: string) => NonNullable<ActionSet['status']> | undefined = () => ({ state: 'complete' })
  /** Thrown instead of making the application. */
  makes: () => void | Promise<void> = () => undefined
  #controller: VerificationController | undefined

  constructor(place: RecoveryPlace, recorded: Artifacts) {
    this.place = place
    this.recorded = recorded
    this.found = recorded
    this.blueprint({ restore: {}, verify: {} })
  }

  blueprint(actions: object): void {
    const blueprint = { kind: 'Blueprint', metadata: { name: 'postgresql', namespace: 'holdfast' }, actions }
    this.api.put(ownKinds.blueprints, blueprint as unknown as Blueprint)
  }

  verification(
    name: string,
    spec: Partial<VerificationSpec> & Pick<VerificationSpec, 'record'>,
    status?: VerificationStatus,
  ): void {
    const made = {
      apiVersion: 'holdfast.dev/v1alpha1',
      kind: 'Verification' as const,
      metadata: { name, namespace: 'holdfast', creationTimestamp: new Date(this.clock.now()).toISOString() },
      spec: {
        profile: { name: 'p', namespace: 'holdfast' },
        object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' },
        restore: {},
        verify: {},
        ...spec,
      },
      ...(status ? { status } : {}),
    }
    this.api.put(ownKinds.verifications, made as unknown as Verification)
  }

  status(name: string): VerificationStatus {
    return this.api.read(ownKinds.verifications, 'holdfast', name)?.status ?? {}
  }

  get namespaces(): string[] {
    return this.api.all(kinds.namespaces).map(({ metadata }) => metadata.name)
  }

  get actionSets(): ActionSet[] {
    return this.api.all(ownKinds.actionSets) as unknown as ActionSet[]
  }

  async startEngine(process: FakeProcess = {}, atOnce = 1): Promise<void> {
    const kube = this.api.kube(process)
    const controller = new VerificationController({
      kube,
      events: kube.eventSink('test'),
      clock: this.clock,
      log: silentLogger,
      namespace: 'holdfast',
      atOnce,
      engineVersion: '0.1.0',
      openPlace: async () => ({ place: this.place, key: this.place.keys[0]?.catalog as never, installation }),
      refuseWithoutRights: async () => {
        if (this.missingRight !== '') throw recoveryError('RECOVERY_BLOCKED', this.missingRight)
      },
      makeTestApplication: (...args) => this.#make(kube, ...args),
    })
    this.#controller = controller
    // One that dies here never starts.
    await Promise.race([controller.start(), settled()])
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

  /** Lets everybody work until it is so. What a store and a repository do is not the clock's, so real time passes too. */
  async until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    for (let turn = 0; turn < 2_000; turn++) {
      await settled()
      if (await isSo()) return
      this.#work()
      await this.clock.turnTo(this.clock.now() + 200)
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    throw new Error(
      `this never came: ${what}; ${JSON.stringify(this.api.all(ownKinds.verifications).map(({ status }) => status))}`,
    )
  }

  async ended(name: string): Promise<VerificationStatus> {
    await this.until(`the end of ${name}`, () => this.status(name).endedAt !== undefined)
    return this.status(name)
  }

  #work(): void {
    for (const actionSet of this.actionSets) {
      const { status, spec, metadata } = actionSet
      if (status?.state === 'complete' || status?.state === 'failed') continue
      const action = spec?.actions?.[0]?.name ?? ''
      const cancelled = metadata.annotations?.['holdfast.dev/cancel'] === 'true'
      const end = cancelled ? { state: 'failed', reason: 'Cancelled' as const } : this.ends(action)
      if (!end) continue
      const results = { verify: { artifacts: this.found }, check: { phases: [{ output: { reason: 'ok' } }] } }
      const actions = [results[action as keyof typeof results] ?? {}]
      this.api.put(ownKinds.actionSets, { ...actionSet, status: { actions, ...end } } as ActionSet)
    }
    for (const namespace of this.api.all(kinds.namespaces))
      if (namespace.metadata.deletionTimestamp !== undefined) this.api.remove(kinds.namespaces, '', namespace.metadata.name)
  }

  async #make(
    kube: ReturnType<FakeApi['kube']>,
    ...[, , backup, request]: Parameters<typeof makeTestApplication>
  ): ReturnType<typeof makeTestApplication> {
    const { namespace: name, annotations, label } = request
    const metadata = { name, annotations, labels: { 'holdfast.dev/verification': label } }
    await kube.resource(kinds.namespaces).create({ metadata } as Namespace)
    await this.makes()
    const object = { ...backup.record.object, namespace: name }
    const spec = { name: request.action, object, blueprint: 'postgresql', artifacts: this.recorded }
    // Of a plan the action is all that is looked at.
    return { plan: { spec }, notes: [] } as unknown as Awaited<ReturnType<typeof makeTestApplication>>
  }
}
