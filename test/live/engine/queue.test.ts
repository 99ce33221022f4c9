import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintPhase } from '../../../src/api/blueprint.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { type Holdfast, type Part, useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace } = installation
const running: Holdfast[] = []
const program = resolve(import.meta.dirname, '../../../src/main/holdfast.ts')

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.kill()))
})

async function start(part: Part, name: string, env: Record<string, string> = {}): Promise<Holdfast> {
  const process = await installation.start(part, name, env)
  running.push(process)
  return process
}

function script(name: string, text: string): BlueprintPhase {
  return { func: 'KubeExec', name, args: { namespace, pod: 'app', command: ['sh', '-c', text] } }
}

const say = (name: string): BlueprintPhase => script(name, 'echo {{ .Options.k }} >> /tmp/{{ .Options.file }}')

const wait = script(
  'wait',
  'echo {{ .Options.k }} >> /tmp/{{ .Options.file }}; while [ ! -e /tmp/{{ .Options.file }}.go ]; do sleep 0.1; done',
)

/** On the namespace `app`, which is there. */
function on(app: string, action: string, file: string, k: string, more: Partial<ActionSpec> = {}): ActionSpec[] {
  return [
    { name: action, blueprint: 'bp', object: { kind: 'Namespace', name: app, namespace: app }, options: { k, file }, ...more },
  ]
}

async function blueprint(): Promise<void> {
  await installation.blueprint({
    backup: { phases: [say('say')] },
    restore: { phases: [say('say')] },
    slow: { phases: [wait], deferPhase: script('unlock', 'echo unlock >> /tmp/{{ .Options.file }}') },
    ask: {
      phases: [say('check'), { ...say('overwrite'), suspend: true }],
      deferPhase: script('unlock', 'echo unlock >> /tmp/{{ .Options.file }}'),
    },
  })
}

async function lines(file: string): Promise<string[]> {
  return (await installation.fileInPod(`/tmp/${file}`)).split('\n').filter((line) => line !== '')
}

async function letGo(file: string): Promise<void> {
  await installation.world().kubectl(['exec', '-n', namespace, 'app', '--', 'touch', `/tmp/${file}.go`])
}

async function holdfast(...words: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], KUBECONFIG: installation.world().kubeconfig }
  return (await promisify(execFile)(process.execPath, [program, ...words, '-n', namespace], { env })).stdout
}

async function waitsFor(name: string, what: string): Promise<string> {
  return await waitFor(
    `${name} to wait for ${what}`,
    async () => {
      const { waiting } = (await installation.read(name)).status ?? {}
      return waiting?.for === what ? waiting.message : undefined
    },
    { timeoutMs: 90_000 },
  )
}

describe('the queue of a real engine', () => {
  test('lets the one of another namespace, and a restore, go before a crowd', async () => {
    await blueprint()
    await start('operator', 'op')
    const crowd = Array.from({ length: 100 }, (_, index) => `crowd-${index}`)
    for (const name of crowd) await installation.create(on(namespace, 'backup', 'order', name), name)
    await installation.create(on('default', 'backup', 'order', 'other'), 'other')
    const from = { artifacts: { dump: { keyValue: { path: 'p' } } } }
    await installation.create(on(namespace, 'restore', 'order', 'restore', from), 'restore')
    await waitFor('all to have Runs', async () => (await installation.read('restore')).status?.state === 'pending')

    await start('worker', 'w', { HOLDFAST_CONCURRENCY: '1' })
    await installation.ended('complete', 'other')
    await installation.ended('complete', 'restore')

    const order = await lines('order')
    expect(order.indexOf('restore')).toBeLessThanOrEqual(2)
    expect(order.indexOf('other')).toBeLessThanOrEqual(3)
    for (const name of crowd) await installation.ended('complete', name)
  })

  test('lets one after the other work on an object, when asked to, and shows who holds it', async () => {
    await blueprint()
    await start('run', 'serial')
    const annotations = { 'holdfast.dev/serialize': 'Object' }
    await installation.create(on(namespace, 'slow', 'serial', 'one'), 'one', annotations)
    await waitFor('the first', async () => (await lines('serial')).includes('one'))
    await installation.create(on(namespace, 'backup', 'serial', 'two'), 'two', annotations)

    const message = await waitsFor('two', 'Object')
    await letGo('serial')
    await installation.ended('complete', 'two')

    expect(message).toContain(`${namespace}/one`)
    expect(await lines('serial')).toEqual(['one', 'unlock', 'two'])
  })

  test('waits for approval over the death of the engine, and goes on', async () => {
    await blueprint()
    const first = await start('run', 'ask')
    await installation.create(on(namespace, 'ask', 'ask', 'k'))
    await waitsFor('as', 'Approval')
    await first.kill()

    await start('run', 'ask')
    const shown = await holdfast('status', 'as')
    const said = await holdfast('approve', 'as')
    await installation.ended('complete')

    expect(shown).toContain('phase "overwrite" waits for approval')
    expect(said).toBe('phase overwrite of actionset as approved\n')
    expect(await lines('ask')).toEqual(['k', 'k', 'unlock'])
  })

  test('ends on `holdfast cancel --wait`, also while it waits for approval', async () => {
    await blueprint()
    await start('run', 'cancel')
    await installation.create(on(namespace, 'ask', 'cancel', 'k'), 'asks')
    await installation.create(on(namespace, 'slow', 'slow', 'k'), 'slow')
    await waitsFor('asks', 'Approval')
    await waitFor('the other', async () => (await lines('slow')).includes('k'))

    await Promise.all([holdfast('cancel', 'asks', '--wait'), holdfast('cancel', 'slow', '--wait')])

    for (const name of ['asks', 'slow']) expect((await installation.ended('failed', name)).status?.reason).toBe('Cancelled')
    expect(await lines('cancel')).toEqual(['k', 'unlock'])
    expect(await lines('slow')).toEqual(['k', 'unlock'])
  })

  test('removes an ActionSet when the time is over that it asked for', async () => {
    await blueprint()
    await start('run', 'ttl')
    await installation.create(on(namespace, 'backup', 'ttl', 'k'), 'kept')
    await installation.create(on(namespace, 'backup', 'ttl', 'k'), 'short', { 'holdfast.dev/ttl-after-finished': '1s' })

    const actionSets = installation.kube().resource(ownKinds.actionSets)
    await waitFor('it to go', async () => !(await actionSets.find({ namespace, name: 'short' })), { timeoutMs: 60_000 })

    await installation.ended('complete', 'kept')
    expect((await lines('ttl')).length).toBe(2)
  })

  test('is stopped within the grace period of its pod, and goes on in the next process', async () => {
    await blueprint()
    const first = await start('run', 'grace')
    await installation.create(on(namespace, 'slow', 'grace', 'k'))
    await waitFor('it to run', async () => (await lines('grace')).includes('k'))

    const from = performance.now()
    await first.stop()
    const tookMs = performance.now() - from
    await start('run', 'grace-2')
    await letGo('grace')
    await installation.ended('complete')

    // What its pod gives it.
    expect(tookMs).toBeLessThan(30_000)
    expect((await lines('grace')).at(-1)).toBe('unlock')
  })
})
