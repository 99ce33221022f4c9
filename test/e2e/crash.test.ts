import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { listKeys } from '../harness/world/bucket.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { engineNamespace, type SeenActionSet, useInstallation } from '../harness/world/installation.ts'
import { apply, shellIn, waitRolledOut } from '../harness/world/objects.ts'
import { blueprintOf, shellApp, startAction, type WrittenPhase } from '../harness/world/shell-app.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const blueprint = `e2e-${bucket}`
const bothSha256 = 'cat /data/first /data/second | sha256sum | cut -c1-64'
let sha256 = ''
let prefix = ''
let turn = 0

beforeAll(async () => {
  await world().image('debian')
  await apply(world(), engineNamespace, blueprintOf(blueprint, actions()))
  await apply(world(), app, shellApp())
})

/** Each test has a folder in the bucket of its own, and an application with nothing but its data. */
beforeEach(async () => {
  prefix = `turn-${(turn += 1)}`
  await holdfast.profile(`${blueprint}-${turn}`, world().s3, bucket, prefix)
  await waitRolledOut(world(), app, 'statefulset/app')
  await shell(`rm -rf /data/*; head -c 30000000 /dev/urandom >/data/first; head -c 20000000 /dev/urandom >/data/second`)
  sha256 = (await shell(bothSha256)).trim()
})

afterAll(() => world().kubectl(['delete', '-n', engineNamespace, '--ignore-not-found', 'blueprint', blueprint]))

describe('a backup whose worker is killed', () => {
  test.each([
    ['as soon as the phase begins', (name: string) => until('the phase to begin', () => isDumpRunning(name))],
    ['in the middle of the stream', () => atGate()],
    ['while the rest of the stream flows', () => atGate().then(openGate)],
    [
      'when the snapshot is just there',
      () => openGate().then(() => until('a snapshot', async () => (await snapshots()).length > 0)),
    ],
  ])('%s, ends complete with one snapshot and one record', async (_, moment) => {
    const name = await startBackup()
    await moment(name)
    await killPod('holdfast-worker')
    await openGate()
    const seen = await holdfast.ended(name)

    expect(seen.status?.error?.message).toBe('')
    expect(seen.status?.state).toBe('complete')
    await expectOneBackup(seen)
    // What takes the application out of service and back is not done twice.
    expect((await log()).filter((line) => line !== 'dump' && line !== 'gate')).toEqual(['quiesce', 'release'])
    await expectRestores(name)
  })
})

describe('a backup goes on', () => {
  test.each([
    ['when the operator is killed', 'holdfast-operator'],
    ['when Redis is gone with all that it held', 'holdfast-redis'],
  ])('%s', async (_, part) => {
    const name = await startBackup()
    await atGate()
    await killPod(part)
    await openGate()
    const seen = await holdfast.ended(name)
    const after = await startBackup()

    expect(seen.status?.error?.message).toBe('')
    expect(seen.status?.state).toBe('complete')
    await expectOneBackup(seen)
    expect((await log()).slice(0, 4)).toEqual(['quiesce', 'dump', 'gate', 'release'])
    expect((await holdfast.ended(after)).status?.state).toBe('complete')
  })
})

describe('a restore whose worker is killed in the middle', () => {
  test('is begun again when its command may be repeated, and ends with the same bytes', async () => {
    const name = await startBackup()
    await openGate()
    expect((await holdfast.ended(name)).status?.state).toBe('complete')
    await shell('rm /data/go; echo >/data/log')

    const restore = await holdfast.createActionSet(['-a', 'restore', '--from', name])
    await until('the restore to begin', async () => (await log()).includes('load'))
    await killPod('holdfast-worker')
    await openGate()
    const { status } = await holdfast.ended(restore)

    expect(status?.error?.message).toBe('')
    expect((await shell('cat /data/restored')).trim()).toBe(sha256)
  })
})

describe('a backup whose application gets new pods in the middle', () => {
  test('fails, says why and leaves nothing', async () => {
    const name = await startBackup()
    await atGate()
    await world().kubectl(['delete', 'pod', '-n', app, 'app-0', '--force', '--grace-period=0'])
    const { status } = await holdfast.ended(name)

    expect(status?.state).toBe('failed')
    expect(status?.error?.message).toContain('app-0')
    expect(await snapshots()).toEqual([])
    expect(await records()).toEqual([])
  })
})

describe('a backup that is cancelled', () => {
  test('by its annotation ends the command in the container and runs the deferred phase', async () => {
    const name = await startBackup()
    await atGate()
    expect(await dumping()).toBe(true)
    await world().kubectl(['annotate', 'actionset', '-n', engineNamespace, name, 'holdfast.dev/cancel=true'])
    const { status } = await holdfast.ended(name)
    await until('the deferred phase', async () => (await log()).includes('release'))

    expect(status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
    expect(await dumping()).toBe(false)
    expect(await snapshots()).toEqual([])
    expect(await records()).toEqual([])
  })

  test('by deleting its ActionSet too', async () => {
    const name = await startBackup()
    await atGate()
    await world().kubectl(['delete', 'actionset', '-n', engineNamespace, name])
    await until('the deferred phase', async () => (await log()).includes('release'))

    expect(await dumping()).toBe(false)
    expect(await snapshots()).toEqual([])
    expect(await records()).toEqual([])
  })
})

function startBackup(): Promise<string> {
  return startAction(world(), { action: 'backup', blueprint, app, profile: `${blueprint}-${turn}` })
}

async function isDumpRunning(name: string): Promise<boolean> {
  const { status } = await holdfast.get(name)
  return status?.actions?.[0]?.phases?.[1]?.state === 'running'
}

/** The command has printed its first part and waits. */
function atGate(): Promise<void> {
  return until('the command to be at its gate', async () => (await log()).includes('gate'))
}

async function openGate(): Promise<void> {
  await shell('touch /data/go')
}

async function until(what: string, condition: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  await waitFor(what, condition, { timeoutMs })
}

function shell(script: string): Promise<string> {
  return shellIn(world(), app, 'app-0', script)
}

/** What phases noted in the application, in order. */
async function log(): Promise<string[]> {
  return (await shell('cat /data/log 2>/dev/null || true')).split('\n').filter((line) => line !== '')
}

/** True while the command of the backup runs in the container. */
async function dumping(): Promise<boolean> {
  return (await shell('grep -las "[d]ump-of-app" /proc/[0-9]*/cmdline | wc -l')).trim() !== '0'
}

/** As hard as Kubernetes can: no time to say goodbye. Waits for the successor. */
async function killPod(name: string): Promise<void> {
  const pods = (): Promise<string> =>
    world().kubectl([
      'get',
      'pods',
      '-n',
      engineNamespace,
      '-l',
      `app.kubernetes.io/name=${name}`,
      '-o',
      'jsonpath={.items[*].metadata.uid}',
    ])
  const before = await pods()
  await world().kubectl([
    'delete',
    'pod',
    '-n',
    engineNamespace,
    '-l',
    `app.kubernetes.io/name=${name}`,
    '--force',
    '--grace-period=0',
  ])
  await until(`a new pod of ${name}`, async () => ![before, ''].includes(await pods()))
}

async function keys(part: string): Promise<string[]> {
  const all = await withS3(world().s3, (client) => listKeys(client, bucket))
  return all.filter((key) => key.startsWith(`${prefix}/`) && key.includes(part))
}

function snapshots(): Promise<string[]> {
  return keys('/snapshots/')
}

function records(): Promise<string[]> {
  return keys('/records/')
}

async function expectOneBackup(seen: SeenActionSet): Promise<void> {
  const kept = seen.status?.actions?.[0]?.artifacts?.['dump']?.keyValue
  expect(kept?.['sha256']).toBe(sha256)
  expect(await snapshots()).toEqual([expect.stringContaining(kept?.['snapshot'] ?? '?')])
  expect(await records()).toHaveLength(1)
}

async function expectRestores(backup: string): Promise<void> {
  const { status } = await holdfast.ended(await holdfast.createActionSet(['-a', 'restore', '--from', backup]))
  expect(status?.error?.message).toBe('')
  expect((await shell('cat /data/restored')).trim()).toBe(sha256)
}

function actions(): Parameters<typeof blueprintOf>[1] {
  const place = { namespace: '{{ .StatefulSet.Namespace }}', pod: '{{ index .StatefulSet.Pods 0 }}' }
  const note = (name: string): WrittenPhase => ({
    func: 'KubeExec',
    name,
    args: { ...place, command: ['sh', '-c', `echo ${name} >>/data/log`] },
  })
  const gate = 'until [ -e /data/go ]; do sleep 0.1; done'
  const dump = `echo dump >>/data/log; cat /data/first; echo gate >>/data/log; ${gate}; cat /data/second`
  const load = `echo load >>/data/log; ${gate}; sha256sum | cut -c1-64 >/data/restored`
  const kept = ['snapshotID', 'repository', 'sha256']
  const output = (field: string): string => `{{ .Phases.dump.Output.${field} }}`
  const input = (field: string): string => `{{ .ArtifactsIn.dump.KeyValue.${field === 'snapshotID' ? 'snapshot' : field} }}`
  return {
    backup: {
      outputArtifacts: {
        dump: { keyValue: { snapshot: output('snapshotID'), repository: output('repository'), sha256: output('sha256') } },
      },
      phases: [
        note('quiesce'),
        { func: 'BackupStream', name: 'dump', args: { ...place, command: ['sh', '-ec', dump, 'dump-of-app'] } },
      ],
      deferPhase: note('release'),
    },
    restore: {
      inputArtifactNames: ['dump'],
      phases: [
        {
          func: 'RestoreStream',
          name: 'load',
          args: {
            ...place,
            ...Object.fromEntries(kept.map((field) => [field, input(field)])),
            repeatable: true,
            command: ['sh', '-ec', load],
          },
        },
      ],
    },
  }
}
