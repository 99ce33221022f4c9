import { Redis } from 'ioredis'
import { afterEach, describe, expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintPhase } from '../../../src/api/blueprint.ts'
import { queueName } from '../../../src/queue/queue.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { type Holdfast, type Part, useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace } = installation
const running: Holdfast[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.kill()))
})

async function start(part: Part, name: string): Promise<Holdfast> {
  const process = await installation.start(part, name)
  running.push(process)
  return process
}

function script(name: string, text: string): BlueprintPhase {
  return { func: 'KubeExec', name, args: { namespace, pod: 'app', command: ['sh', '-c', text] } }
}

function action(name: string): ActionSpec {
  return { name, blueprint: 'bp', object: { kind: 'Namespace', name: namespace, namespace } }
}

/** Three phases; the second waits for a file, so that the test can act while it runs. */
async function blueprint(file: string): Promise<void> {
  await installation.blueprint({
    backup: {
      phases: [
        script('p1', `echo p1 >> /tmp/${file}`),
        script('p2', `echo p2 >> /tmp/${file}; while [ ! -e /tmp/${file}.go ]; do sleep 0.1; done`),
        script('p3', `echo p3 >> /tmp/${file}`),
      ],
      deferPhase: script('unlock', `echo unlock >> /tmp/${file}`),
    },
  })
}

async function phaseTwo(file: string): Promise<void> {
  await waitFor('the second phase', async () => (await installation.fileInPod(`/tmp/${file}`)).includes('p2'), {
    timeoutMs: 90_000,
  })
}

async function letGo(file: string): Promise<void> {
  await installation.world().kubectl(['exec', '-n', namespace, 'app', '--', 'touch', `/tmp/${file}.go`])
}

describe('after SIGKILL', () => {
  test('the same process, back again, joins the command that it left, and the deferred phase runs', async () => {
    const first = await start('run', 'same')
    await blueprint('same')
    await installation.create([action('backup')])
    await phaseTwo('same')

    await first.kill()
    await start('run', 'same')
    await letGo('same')

    await installation.ended('complete')
    expect(await installation.fileInPod('/tmp/same')).toBe('p1\np2\np3\nunlock\n')
  })

  test('of a worker another one takes over', async () => {
    await start('operator', 'op')
    const first = await start('worker', 'a')
    await blueprint('other')
    await installation.create([action('backup')])
    await phaseTwo('other')
    await start('worker', 'b')

    await first.kill()
    await letGo('other')

    await installation.ended('complete')
    expect(await installation.fileInPod('/tmp/other')).toBe('p1\np2\np3\nunlock\n')
  })

  test('of the operator the work goes on, and its successor shows the end', async () => {
    const operator = await start('operator', 'op')
    await start('worker', 'a')
    await blueprint('operator')
    await installation.create([action('backup')])
    await phaseTwo('operator')

    await operator.kill()
    await letGo('operator')
    await start('operator', 'op')

    await installation.ended('complete')
    expect(await installation.fileInPod('/tmp/operator')).toBe('p1\np2\np3\nunlock\n')
  })
})

describe('a worker that is stopped gracefully', () => {
  test('lets go of its action in time, and another one ends it', async () => {
    await start('operator', 'op')
    const first = await start('worker', 'a')
    await blueprint('graceful')
    await installation.create([action('backup')])
    await phaseTwo('graceful')

    await first.stop()
    expect((await installation.runOf(await installation.read())).status.actions['0']?.fence.owner).toBe('')
    await start('worker', 'b')
    await letGo('graceful')

    await installation.ended('complete')
    expect(await installation.fileInPod('/tmp/graceful')).toBe('p1\np2\np3\nunlock\n')
  })
})

describe('a worker that sleeps (SIGSTOP) and wakes up', () => {
  test('finds that another took over, and writes nothing more', async () => {
    await start('operator', 'op')
    const sleeper = await start('worker', 'a')
    await blueprint('sleeper')
    await installation.create([action('backup')])
    await phaseTwo('sleeper')
    await start('worker', 'b')

    sleeper.signal('SIGSTOP')
    await letGo('sleeper')
    const before = await installation.ended('complete')
    sleeper.signal('SIGCONT')

    await waitFor('the sleeper to notice', () => sleeper.log().includes('"outcome":"lost"'), { timeoutMs: 90_000 })
    const after = await installation.read()
    expect(after.status).toEqual(before.status)
    expect(await installation.fileInPod('/tmp/sleeper')).toBe('p1\np2\np3\nunlock\n')
  })
})

describe('a queue that was wiped', () => {
  test('loses nothing', async () => {
    await start('operator', 'op')
    await installation.blueprint({ backup: { phases: [script('p1', 'echo ran > /tmp/wiped')] } })
    const created = await installation.create([action('backup')])
    await waitFor('the Run', async () => await installation.runOf(created))
    const redis = new Redis(installation.world().redisUrl)
    await waitFor('the job', async () => (await redis.keys(`bull:${queueName(namespace)}:*-0-1`)).length > 0)
    await redis.del(...(await redis.keys(`bull:${queueName(namespace)}:*`)))
    redis.disconnect()

    await start('worker', 'a')

    await installation.ended('complete')
    expect(await installation.fileInPod('/tmp/wiped')).toBe('ran\n')
  })
})
