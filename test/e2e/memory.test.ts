import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { useBucket, useNamespace, useWorld } from '../harness/world/fixtures.ts'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { apply, shellIn, waitRolledOut } from '../harness/world/objects.ts'
import { blueprintOf, shellApp, startAction } from '../harness/world/shell-app.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const name = `e2e-${bucket}`
const limitMB = 256
const sizeBytes = 2 ** 30
let idleMB = 0

beforeAll(async () => {
  await world().image('debian')
  await apply(world(), engineNamespace, blueprintOf(name, actions()))
  await holdfast.profile(name, world().s3, bucket)
  await apply(world(), app, shellApp())
  await waitRolledOut(world(), app, 'statefulset/app')
  // A worker that has done nothing but one small backup: libraries are loaded, buffers are not.
  await world().kubectl(['delete', 'pod', '-n', engineNamespace, 'holdfast-worker-0'])
  await waitRolledOut(world(), engineNamespace, 'statefulset/holdfast-worker')
  await shell('echo small >/data/file')
  await succeeds(await startAction(world(), { action: 'backup', blueprint: name, app, profile: name }))
  idleMB = await memoryMB('VmRSS')
  await shell(`head -c ${sizeBytes} /dev/urandom >/data/file`)
})

afterAll(() => world().kubectl(['delete', '-n', engineNamespace, '--ignore-not-found', 'blueprint', name]))

describe('one GiB that cannot be compressed', () => {
  test(`goes through the worker and back with the same SHA-256, in less than ${limitMB} MB above idle`, async () => {
    const sha256 = (await shell('sha256sum </data/file | cut -c1-64')).trim()
    const startedAt = performance.now()
    const backup = await startAction(world(), { action: 'backup', blueprint: name, app, profile: name })
    const kept = await succeeds(backup)
    const backedUpAt = performance.now()
    const backupMB = await memoryMB('VmHWM')
    await shell('rm /data/file')
    const restoreAt = performance.now()
    await succeeds(await holdfast.createActionSet(['-a', 'restore', '--from', backup]))
    const restoredAt = performance.now()
    const bothMB = await memoryMB('VmHWM')

    console.log(
      `idle ${idleMB} MB; peak ${backupMB} MB after the backup (${seconds(startedAt, backedUpAt)} s), ` +
        `${bothMB} MB after the restore (${seconds(restoreAt, restoredAt)} s)`,
    )
    expect(kept).toMatchObject({ sha256, bytes: String(sizeBytes) })
    expect((await shell('cat /data/restored')).trim()).toBe(sha256)
    expect((await shell('sha256sum </data/file | cut -c1-64')).trim()).toBe(sha256)
    expect(backupMB - idleMB).toBeLessThanOrEqual(limitMB)
    expect(bothMB - idleMB).toBeLessThanOrEqual(limitMB)
  })
})

async function succeeds(actionSet: string): Promise<Readonly<Record<string, string>>> {
  const { status } = await holdfast.ended(actionSet, 300_000)
  expect(status?.error?.message).toBe('')
  expect(status?.state).toBe('complete')
  return status?.actions?.[0]?.artifacts?.['dump']?.keyValue ?? {}
}

/** Of the worker's own process: `VmRSS` now, or `VmHWM`, the most that it ever was. */
async function memoryMB(field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const script = `sed -n 's/^${field}:[^0-9]*\\([0-9]*\\) kB/\\1/p' /proc/1/status`
  return Math.round(Number(await shellIn(world(), engineNamespace, 'holdfast-worker-0', script)) / 1000)
}

function shell(script: string): Promise<string> {
  return shellIn(world(), app, 'app-0', script)
}

function seconds(from: number, to: number): string {
  return ((to - from) / 1000).toFixed(1)
}

function actions(): Parameters<typeof blueprintOf>[1] {
  const place = { namespace: '{{ .StatefulSet.Namespace }}', pod: '{{ index .StatefulSet.Pods 0 }}' }
  const outputs = { snapshot: 'snapshotID', repository: 'repository', sha256: 'sha256', bytes: 'size' }
  const keyValue = Object.fromEntries(
    Object.entries(outputs).map(([key, field]) => [key, `{{ .Phases.dump.Output.${field} }}`]),
  )
  const input = (key: string): string => `{{ .ArtifactsIn.dump.KeyValue.${key} }}`
  const kept = { snapshotID: input('snapshot'), repository: input('repository'), sha256: input('sha256') }
  const load = 'tee /data/file | sha256sum | cut -c1-64 >/data/restored'
  return {
    backup: {
      outputArtifacts: { dump: { keyValue } },
      phases: [{ func: 'BackupStream', name: 'dump', args: { ...place, command: ['cat', '/data/file'] } }],
    },
    restore: {
      inputArtifactNames: ['dump'],
      phases: [{ func: 'RestoreStream', name: 'load', args: { ...place, ...kept, command: ['sh', '-ec', load] } }],
    },
  }
}
