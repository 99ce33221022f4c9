import { resolve } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { ActionSet } from '../../../src/api/actionset.ts'
import { names } from '../../../src/api/names.ts'
import type { Schedule } from '../../../src/api/schedule.ts'
import type { Clock } from '../../../src/base/clock.ts'
import { mapBounded } from '../../../src/base/semaphore.ts'
import { ScheduleController } from '../../../src/controllers/schedule/controller.ts'
import { ScheduleMeter } from '../../../src/controllers/schedule/meter.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { openKube } from '../../../src/kube/open.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

const world = useWorld()
const namespace = useNamespace(world, 'crowd')
const crowd = 500
const { signal } = new AbortController()
const patient = { timeoutMs: 90_000 }
let kube: Kube

beforeAll(async () => {
  kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
  const crds = resolve(import.meta.dirname, '../../../crds')
  await world().kubectl(['apply', '--server-side', '--force-conflicts', '-f', crds])
  await world().kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd/schedules.holdfast.dev'])
})

/** Goes as the real one does, and can be set forward: who sleeps until then wakes. */
class LeapingClock implements Clock {
  #aheadMs: number
  readonly #sleepers = new Set<{ readonly at: number; readonly wake: () => void }>()

  constructor(start: number) {
    this.#aheadMs = start - Date.now()
  }

  now(): number {
    return Date.now() + this.#aheadMs
  }

  sleep(ms: number, abort?: AbortSignal): Promise<void> {
    const { promise, resolve: wake, reject } = Promise.withResolvers<void>()
    const sleeper = { at: this.now() + ms, wake }
    const timer = setTimeout(wake, ms)
    const refuse = (): void => reject(abort?.reason as Error)
    if (abort?.aborted) refuse()
    abort?.addEventListener('abort', refuse, { once: true })
    this.#sleepers.add(sleeper)
    return promise.finally(() => {
      clearTimeout(timer)
      this.#sleepers.delete(sleeper)
      abort?.removeEventListener('abort', refuse)
    })
  }

  leapTo(ms: number): void {
    this.#aheadMs = ms - Date.now()
    for (const { at, wake } of this.#sleepers) if (at <= ms) wake()
  }
}

/** Without pods, and without a ReplicaSet: paused. */
function aDeployment(index: number): object {
  const labels = { app: `db-${index}` }
  const containers = [{ name: 'main', image: 'holdfast.dev/none:1' }]
  const template = { metadata: { labels }, spec: { containers } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: `db-${index}`, namespace },
    spec: { replicas: 0, paused: true, selector: { matchLabels: labels }, template },
  }
}

function aSchedule(): Schedule {
  return {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Schedule',
    metadata: { name: 'nightly', namespace } as Schedule['metadata'],
    spec: {
      cron: '0 3 * * *',
      scaledToZero: 'Run',
      action: { blueprint: 'none' },
      selector: { kinds: ['Deployment'], namespaces: [namespace] },
    },
  }
}

interface Engine {
  isDead(): boolean
  close(): Promise<void>
}

/** One that dies, as by SIGKILL, after so many objects were made: what is under way never ends, nothing more is asked for. */
async function startEngine(clock: Clock, diesAfter = Infinity): Promise<Engine> {
  let made = 0
  let isDead = false
  const never = new Promise<never>(() => undefined)
  const resource = ((def: Parameters<Kube['resource']>[0]) =>
    new Proxy(kube.resource(def), {
      get: (target, name) => {
        const call: unknown = Reflect.get(target, name)
        if (typeof call !== 'function') return call
        return (...given: unknown[]): unknown => {
          if (name === 'create' && ++made > diesAfter) isDead = true
          return isDead ? never : Reflect.apply(call, target, given)
        }
      },
    })) as Kube['resource']
  const controller = new ScheduleController({
    kube: { resource, informer: kube.informer.bind(kube) },
    events: kube.eventSink('test'),
    clock,
    log: silentLogger,
    namespace,
    engineNamespace: namespace,
    meter: new ScheduleMeter(createMetrics(), namespace),
  })
  await controller.start()
  return {
    isDead: () => isDead,
    close: () => controller.close(),
  }
}

const readSchedule = (): Promise<Live<Schedule>> =>
  kube.resource(ownKinds.schedules).get({ namespace, name: 'nightly' }, { signal })
const actionSets = async (): Promise<readonly Live<ActionSet>[]> =>
  (await kube.resource(ownKinds.actionSets).list({ namespace, signal })).items

test('of 500 objects that are due at one moment each is run once, though the engine is killed in the middle', async () => {
  const numbers = Array.from({ length: crowd }, (_, index) => index)
  const deployments = kube.resource(kinds.deployments)
  await mapBounded(numbers, 16, (index) => deployments.create(aDeployment(index) as never, { signal }), signal)
  await kube.resource(ownKinds.schedules).create(aSchedule(), { signal })
  const clock = new LeapingClock(Date.parse('2026-05-01T02:00:00Z'))
  const first = await startEngine(clock, 150)
  await waitFor('the engine to know all objects', async () => (await readSchedule()).status?.objectCount === crowd, patient)
  expect(await actionSets()).toEqual([])

  const began = Date.now()
  clock.leapTo(Date.parse('2026-05-01T03:00:01Z'))
  await waitFor('its death', () => first.isDead(), patient)
  first.close().catch(() => undefined)
  const atKill = (await actionSets()).length
  const second = await startEngine(clock)
  const settled = async (): Promise<boolean> => {
    const { objects = {} } = (await readSchedule()).status ?? {}
    return Object.values(objects).filter(({ last }) => last?.slot === '2026-05-01T03:00:00Z').length === crowd
  }
  await waitFor('every object in status', settled, patient)
  const tookMs = Date.now() - began
  clock.leapTo(Date.parse('2026-05-01T03:30:00Z'))
  await waitFor('another look', async () => (await readSchedule()).status?.nextRun === '2026-05-02T03:00:00Z', patient)
  await second.close()

  const made = await actionSets()
  const objects = made.map(({ metadata }) => metadata.annotations?.[names.scheduledObject])
  expect(atKill).toBeLessThan(crowd)
  expect(made).toHaveLength(crowd)
  expect(new Set(objects).size).toBe(crowd)
  expect(new Set(made.map(({ metadata }) => metadata.annotations?.[names.slot]))).toEqual(new Set(['2026-05-01T03:00:00Z']))
  expect((await readSchedule()).status).toMatchObject({ objectCount: crowd, message: '' })
  console.log(`${crowd} objects of one minute: ${tookMs} ms, killed after ${atKill}`)
})
