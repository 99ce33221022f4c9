import { beforeAll, describe, expect, test } from 'vitest'
import { useBucket, useNamespace, useWorld } from '../harness/world/fixtures.ts'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { apply, type KubeObject, shellIn, waitRolledOut } from '../harness/world/objects.ts'
import { blueprintOf } from '../harness/world/shell-app.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const profile = `e2e-${bucket}`
const name = `all-pods-${bucket.slice(-8)}`
const pods = ['db-0', 'db-1']

/** Two pods with a claim each. */
function database(): KubeObject {
  const labels = { app: 'db' }
  const container = {
    name: 'db',
    image: 'debian:bookworm-slim',
    imagePullPolicy: 'IfNotPresent',
    command: ['sleep', 'infinity'],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  }
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '100Mi' } } }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'db' },
    spec: {
      serviceName: 'db',
      replicas: pods.length,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
    },
  }
}

/** In the words of Kanister's Blueprints for replicated databases. */
function blueprint(): KubeObject {
  const namespace = '{{ .StatefulSet.Namespace }}'
  const backupArtifactPrefix = '{{ .Profile.Location.Bucket }}/backups/{{ .StatefulSet.Name }}/all'
  const backupInfo = '{{ .ArtifactsIn.info.KeyValue.backups }}'
  const scale = (phase: string, replicas: number | string) => ({
    func: 'ScaleWorkload',
    name: phase,
    args: { namespace, name: '{{ .StatefulSet.Name }}', kind: 'StatefulSet', replicas },
  })
  const withInfo = { inputArtifactNames: ['info'], type: 'StatefulSet' }
  return blueprintOf(name, {
    backup: {
      type: 'StatefulSet',
      outputArtifacts: { info: { keyValue: { backups: '{{ .Phases.keep.Output.BackupAllInfo }}' } } },
      phases: [
        {
          func: 'BackupDataAll',
          name: 'keep',
          args: { namespace, container: 'db', includePath: '/data', backupArtifactPrefix },
        },
      ],
    },
    restore: {
      ...withInfo,
      phases: [
        scale('stop', 0),
        {
          func: 'RestoreDataAll',
          name: 'restore',
          args: { namespace, image: 'debian:bookworm-slim', backupArtifactPrefix, backupInfo },
        },
        scale('start', pods.length),
      ],
    },
    delete: {
      ...withInfo,
      phases: [
        {
          func: 'DeleteDataAll',
          name: 'forget',
          args: { namespace, backupArtifactPrefix, backupInfo, reclaimSpace: true },
        },
      ],
    },
  })
}

const inAll = (script: string): Promise<string[]> => Promise.all(pods.map((pod) => shellIn(world(), app, pod, script)))
const digests = (): Promise<string[]> => inAll('cd /data && find . -type f -exec sha256sum {} + | sort')

beforeAll(async () => {
  await world().image('debian')
  await apply(world(), engineNamespace, blueprint())
  await holdfast.profile(profile, world().s3, bucket)
  await apply(world(), app, database())
  await waitRolledOut(world(), app, 'statefulset/db', 180_000)
}, 600_000)

describe('a StatefulSet of several pods', () => {
  test('is kept, restored while it is scaled down, and deleted with its space', async () => {
    await inAll('mkdir -p /data/of/$(hostname); head -c 2000000 /dev/urandom > /data/of/$(hostname)/rows')
    const before = await digests()

    const target = ['-b', name, '-t', `${app}/db`, '-p', profile]
    const backup = await holdfast.createActionSet(['-a', 'backup', ...target])
    const kept = await holdfast.ended(backup, 180_000)
    await inAll('rm -rf /data/of; echo later > /data/later')
    const restored = await holdfast.ended(await holdfast.createActionSet(['-a', 'restore', '--from', backup]), 240_000)
    await waitRolledOut(world(), app, 'statefulset/db')
    await inAll('rm /data/later')
    const after = await digests()
    const deleted = await holdfast.ended(await holdfast.createActionSet(['-a', 'delete', '--from', backup]), 180_000)

    expect([kept, restored, deleted].map(({ status }) => status?.error?.message)).toEqual(['', '', ''])
    const info = kept.status?.actions?.[0]?.artifacts?.['info']?.keyValue?.['backups'] ?? ''
    expect(info).toMatch(/^\{"db-0":\{"PodName":"db-0","BackupID":"[0-9a-f]{8}","BackupTag":"[0-9a-z]{10}"\},"db-1":/)
    expect(after).toEqual(before)
    expect(before[0]).not.toBe(before[1])
    expect(deleted.status?.actions?.[0]?.phases?.[0]?.output?.['spaceFreed']).toMatch(/^3\.8\d\d MiB$/)
  })
})
