import { beforeAll, expect, test } from 'vitest'
import { backupDataAll } from '../../../src/functions/backup-data-all.ts'
import { backupDataStats } from '../../../src/functions/backup-data-stats.ts'
import { checkRepository } from '../../../src/functions/check-repository.ts'
import { copyVolumeData } from '../../../src/functions/copy-volume-data.ts'
import { deleteDataAll } from '../../../src/functions/delete-data-all.ts'
import { deleteData } from '../../../src/functions/delete-data.ts'
import { restoreDataAll } from '../../../src/functions/restore-data-all.ts'
import { restoreData } from '../../../src/functions/restore-data.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { sizeModes } from '../../../src/repository/snapshot-sizes.ts'
import type { TemplateParams } from '../../../src/template/variables.ts'
import { runFunction } from '../../build/function-context.ts'
import { ensureRestic, restic } from '../../harness/restic.ts'
import { apply, type KubeObject, shellIn } from '../../harness/world/objects.ts'
import { useDataWorld } from './data-world.ts'

const data = useDataWorld()
const { world, namespace, context } = data
const pods = ['db-0', 'db-1']
const claimOf = (pod: string): string => `data-${pod}`
const params: TemplateParams = {
  StatefulSet: {
    Name: 'db',
    Namespace: namespace,
    Pods: pods,
    PersistentVolumeClaims: Object.fromEntries(pods.map((pod) => [pod, { [claimOf(pod)]: '/data' }])),
  },
}
/** Tried alone, and known to restic. */
const encryptionKey = 'given'
const place = { namespace, encryptionKey }

function claimAndPod(pod: string): KubeObject[] {
  const container = {
    name: 'main',
    image: data.images().gnu,
    command: ['sleep', '100000'],
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
  }
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: claimOf(pod) } }]
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  return [
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: claimOf(pod) }, spec: claim },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod },
      spec: { terminationGracePeriodSeconds: 0, containers: [container], volumes },
    },
  ]
}

const fill = `set -e; cd /data; head -c 3000000 /dev/urandom > random; cp random again; ln random hard
head -c 2000000 /dev/zero > zeros; : > empty; mkdir -p a/b; hostname > a/b/name; ln -s name a/b/link`

beforeAll(async () => {
  await ensureRestic()
  await apply(world(), namespace, ...pods.flatMap(claimAndPod))
  for (const pod of pods) {
    await data.kube().pods.waitReady({ namespace, name: pod }, { timeoutMs: 120_000 })
    await shellIn(world(), namespace, pod, fill)
  }
})

async function digests(): Promise<string[]> {
  const script = 'cd /data && find . -type f -exec sha256sum {} + | sort; find . | sort'
  return Promise.all(pods.map((pod) => shellIn(world(), namespace, pod, script)))
}

async function jobPods(): Promise<string[]> {
  const { items } = await data.kube().resource(kinds.pods).list({ namespace })
  return items.map(({ metadata }) => metadata.name).filter((name) => !pods.includes(name))
}

test('what was kept of every pod comes back into its claims, and is deleted with its space', async () => {
  const before = await digests()
  const prefix = { ...place, backupArtifactPrefix: 'all/db' }

  const kept = await runFunction(backupDataAll, context({ params }).ctx, { ...prefix, container: 'main', includePath: '/data' })
  const backupInfo = kept?.['BackupAllInfo']
  for (const pod of pods) await shellIn(world(), namespace, pod, 'rm -rf /data/*')
  const image = data.images().gnu
  await runFunction(restoreDataAll, context({ params }).ctx, { ...prefix, image, backupInfo })
  const after = await digests()
  const deleted = await runFunction(deleteDataAll, context().ctx, { ...prefix, backupInfo, reclaimSpace: true })

  expect(after).toEqual(before)
  expect(before[0]).not.toEqual(before[1])
  expect(deleted?.['spaceFreed']).toMatch(/^\d\.\d{3} MiB$/)
  expect(await jobPods()).toEqual([])
})

test('a claim in use is kept by a pod beside its owner, and goes elsewhere by its root', async () => {
  const before = await digests()

  const kept = await runFunction(copyVolumeData, context().ctx, {
    ...place,
    volume: claimOf('db-0'),
    dataArtifactPrefix: 'copy/db',
    image: data.images().gnu,
  })
  await shellIn(world(), namespace, 'db-1', 'rm -rf /data/*')
  await runFunction(restoreData, context().ctx, {
    ...place,
    image: data.images().gnu,
    backupArtifactPrefix: kept?.['backupArtifactLocation'],
    backupTag: kept?.['backupTag'],
    volumes: { [claimOf('db-1')]: '/mnt' },
    restorePath: '/mnt',
    backupPath: kept?.['backupRoot'],
  })

  expect(kept).toMatchObject({
    backupRoot: `/mnt/vol_data/${claimOf('db-0')}`,
    backupArtifactLocation: `${data.bucket}/copy/db`,
  })
  expect((await digests())[1]).toBe(before[0])
  expect(await jobPods()).toEqual([])
})

test('sizes are those of restic, in every mode; a repository is checked by what opens it', async () => {
  const { endpoint, accessKey, secretKey } = world().s3
  const env = { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey }
  const at = `s3:${endpoint}/${data.bucket}/copy/stats`
  const prefix = { ...place, backupArtifactPrefix: 'copy/stats' }
  const check = async (args: object): Promise<unknown> =>
    (await runFunction(checkRepository, context().ctx, { ...prefix, ...args }))?.['reason']
  const absent = await check({})

  const kept = await runFunction(copyVolumeData, context().ctx, {
    ...place,
    volume: claimOf('db-0'),
    dataArtifactPrefix: 'copy/stats',
    image: data.images().gnu,
  })
  const backupID = String(kept?.['backupID'])
  const counts = async (statsMode: string): Promise<unknown> => {
    const outputs = await runFunction(backupDataStats, context().ctx, { ...prefix, backupID, statsMode })
    return [Number(outputs?.['fileCount']), Number(outputs?.['sizeBytes'])]
  }
  const resticCounts = (mode: string): unknown => {
    const text = restic({ at, password: encryptionKey, env }, ['stats', '--json', '--mode', mode, backupID]).toString()
    const { total_size: size, total_file_count: files, total_blob_count: blobs } = JSON.parse(text) as Record<string, number>
    return [mode === 'raw-data' ? blobs : files, size]
  }

  for (const mode of sizeModes) expect([mode, await counts(mode)]).toEqual([mode, resticCounts(mode)])
  expect([absent, await check({}), await check({ encryptionKey: 'other' })]).toEqual(['absent', 'ok', 'wrongKey'])
  await runFunction(deleteData, context().ctx, { ...prefix, backupID, reclaimSpace: true })
  expect(restic({ at, password: encryptionKey, env }, ['snapshots', '--json']).toString().trim()).toBe('[]')
})
