import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintPhase } from '../../../src/api/blueprint.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { apply } from '../../harness/world/objects.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { type Holdfast, useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace, kube, world } = installation
const running: Holdfast[] = []

/** A killed operator holds its Lease for a while. */
const slow = { timeoutMs: 90_000 }

/** Ends when it is told so, and is started again by the kubelet. */
const mortal = 'rm -f /notes/die; while [ ! -e /notes/die ]; do sleep 0.2; done'

beforeAll(async () => {
  const context = new URL('busybox', import.meta.url).pathname
  const busybox = await world().image({ name: 'holdfast.dev/test-all-of-busybox:1', context })
  const debian = await world().image('debian')
  const sleep = { command: ['sleep', '100000'], imagePullPolicy: 'IfNotPresent' }
  const volumes = [{ name: 'notes', emptyDir: {} }]
  const mounts = { volumeMounts: [{ name: 'notes', mountPath: '/notes' }] }
  const pods = {
    busybox: { containers: [{ name: 'main', image: busybox, ...sleep, ...mounts }] },
    restarted: { containers: [{ name: 'main', image: debian, ...sleep, ...mounts, command: ['sh', '-c', mortal] }] },
    // Writable is what a command notes its effects in, and nothing else.
    sealed: {
      containers: [
        {
          name: 'main',
          image: debian,
          ...sleep,
          ...mounts,
          securityContext: { readOnlyRootFilesystem: true, runAsUser: 1000 },
        },
      ],
      securityContext: { fsGroup: 1000 },
    },
  }
  for (const [name, spec] of Object.entries(pods)) {
    await apply(world(), namespace, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { terminationGracePeriodSeconds: 0, volumes, ...spec },
    })
  }
  for (const name of Object.keys(pods)) await kube().pods.waitReady({ namespace, name }, { timeoutMs: 120_000 })
}, 10 * 60_000)

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.kill()))
})

async function start(): Promise<Holdfast> {
  const process = await installation.start('run', 'w')
  running.push(process)
  return process
}

function action(): ActionSpec {
  return { name: 'backup', blueprint: 'bp', object: { kind: 'Namespace', name: namespace, namespace } }
}

function script(name: string, pod: string, text: string, more: Partial<BlueprintPhase> = {}): BlueprintPhase {
  return { func: 'KubeExec', name, ...more, args: { namespace, pod, container: 'main', command: ['sh', '-c', text] } }
}

async function inPod(pod: string, text: string): Promise<string> {
  return (await kube().exec.capture({ namespace, pod, container: 'main' }, ['sh', '-c', text])).stdout
}

async function lines(pod: string, file: string): Promise<string> {
  return await inPod(pod, `cat ${file} 2>/dev/null || true`)
}

/** Prints more than pipes hold before and after it is let go, and outputs at either end. */
function chatty(file: string): string {
  return `echo once >>${file}
echo '###Phase-output###: {"key":"first","value":"1"}'
head -c 300000 /dev/zero | tr '\\0' 'x'; echo
while [ ! -e ${file}.go ]; do sleep 0.2; done
head -c 3000000 /dev/zero | tr '\\0' 'y'; echo
echo '###Phase-output###: {"key":"last","value":"2"}'
echo done >>${file}`
}

describe('a command whose engine was killed', () => {
  test.each([
    ['Debian', 'app', '/tmp/debian'],
    ['BusyBox', 'busybox', '/notes/busybox'],
  ])('goes on in a container of %s, once, and its outputs arrive', async (_image, pod, file) => {
    const first = await start()
    await installation.blueprint({ backup: { phases: [script('talk', pod, chatty(file))] } })
    await installation.create([action()])
    await waitFor('the command', async () => (await lines(pod, file)).includes('once'), slow)

    await first.kill()
    await inPod(pod, `touch ${file}.go`)
    await waitFor('the end of the command', async () => (await lines(pod, file)).includes('done'), slow)
    await start()

    const { status } = await installation.ended('complete')
    expect(await lines(pod, file)).toBe('once\ndone\n')
    expect(status?.actions?.[0]?.phases?.[0]?.output).toEqual({ first: '1', last: '2' })
    await waitFor(
      'the record to be removed',
      async () => (await inPod(pod, 'ls -A /tmp/.holdfast | wc -l')).trim() === '0',
      slow,
    )
  })

  test('is stopped by a cancel that the next engine finds, with what a job pod left', async () => {
    const first = await start()
    const endless = 'echo begun >/tmp/endless; sleep 7654321'
    const pod = {
      func: 'KubeTask',
      name: 'pod',
      args: { namespace, image: await world().image('debian'), command: ['sleep', '7654321'] },
    }
    await installation.blueprint({
      backup: {
        phases: [script('endless', 'app', endless)],
        deferPhase: script('unlock', 'app', 'echo unlocked >/tmp/endless'),
      },
      pods: { phases: [pod] },
    })
    await installation.create([action(), { ...action(), name: 'pods' }])
    await waitFor('the command', async () => (await lines('app', '/tmp/endless')).includes('begun'), slow)
    const podsOfTask = async (): Promise<number> =>
      (await kube().resource(kinds.pods).list({ namespace, labelSelector: 'createdBy=kanister' })).items.length
    await waitFor('the pod', async () => (await podsOfTask()) === 1, slow)

    await first.kill()
    await kube()
      .resource(ownKinds.actionSets)
      .patch({ namespace, name: 'as' }, { metadata: { annotations: { 'holdfast.dev/cancel': 'true' } } })
    await start()

    const { status } = await installation.ended('failed')
    expect(status?.reason).toBe('Cancelled')
    expect(await lines('app', '/tmp/endless')).toBe('unlocked\n')
    const left = (): Promise<string> =>
      inPod('app', 'for p in /proc/[0-9]*; do tr "\\0\\n" "  " <$p/cmdline; echo; done | grep "^sleep 7654321" || true')
    await waitFor('the command to be gone', async () => (await left()) === '', slow)
    await waitFor('the pod to be gone', async () => (await podsOfTask()) === 0, slow)
  })
})

describe('a command of which nobody can say what became', () => {
  test('since its container was killed meanwhile: the phase is interrupted, unless it may be restarted', async () => {
    const first = await start()
    // Neither ends before the engine is killed, however long that takes; the third time it is over at once.
    const text = 'echo once >>/notes/kill; [ "$(grep -c once /notes/kill)" -ge 3 ] || sleep 1000'
    await installation.blueprint({
      backup: { phases: [script('p', 'restarted', text)] },
      again: { phases: [script('p', 'restarted', text, { resume: 'restart' })] },
    })
    await installation.create([action(), { ...action(), name: 'again' }])
    await waitFor('the commands', async () => (await lines('restarted', '/notes/kill')) === 'once\nonce\n', slow)

    await first.kill()
    const id = async (): Promise<string | undefined> => {
      const pod = await kube().resource(kinds.pods).get({ namespace, name: 'restarted' })
      const status = pod.status?.containerStatuses?.[0]
      return status?.state?.running ? status.containerID : undefined
    }
    const before = await id()
    await inPod('restarted', 'touch /notes/die')
    await waitFor('the container to be another', async () => ![undefined, before].includes(await id()), { timeoutMs: 60_000 })
    await start()

    const { status } = await installation.ended('failed')
    expect(status?.reason).toBe('Interrupted')
    expect(status?.error?.message).toContain('the container was restarted since')
    expect(status?.actions?.map(({ phases }) => phases?.[0]?.state)).toEqual(['failed', 'complete'])
    expect(await lines('restarted', '/notes/kill')).toBe('once\nonce\nonce\n')
  })

  test('since its container can be written nowhere: the phase is interrupted, and the command is not run again', async () => {
    const first = await start()
    await installation.blueprint({ backup: { phases: [script('p', 'sealed', 'echo once >>/notes/sealed; sleep 1000')] } })
    await kube().exec.capture({ namespace, pod: 'sealed', container: 'main' }, [
      'sh',
      '-c',
      'ln -s /nowhere /dev/shm/.holdfast',
    ])
    await installation.create([action()])
    await waitFor('the command', async () => (await lines('sealed', '/notes/sealed')).includes('once'), slow)

    await first.kill()
    await start()

    const { status } = await installation.ended('failed')
    expect(status?.reason).toBe('Interrupted')
    expect(await lines('sealed', '/notes/sealed')).toBe('once\n')
  })
})
