import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { backupData } from '../../../src/functions/backup-data.ts'
import { backupStream } from '../../../src/functions/backup-stream.ts'
import { deleteDataAll } from '../../../src/functions/delete-data-all.ts'
import { deleteData } from '../../../src/functions/delete-data.ts'
import { restoreDataAll } from '../../../src/functions/restore-data-all.ts'
import { restoreData } from '../../../src/functions/restore-data.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { derivePassword } from '../../../src/repository/keys/recovery-key.ts'
import { runFunction } from '../../build/function-context.ts'
import { ensureRestic, restic, type ResticRepository } from '../../harness/restic.ts'
import { apply, shellIn } from '../../harness/world/objects.ts'
import { useDataWorld } from './data-world.ts'

const data = useDataWorld()
const { world, namespace, context } = data
const kanisterDefault = '9f735e0df9a1ddc702bf0a1a7b83033f9f7153a00c29de82cedadc9957289b05'

beforeAll(async () => {
  await ensureRestic()
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  await apply(
    world(),
    namespace,
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'data' }, spec: claim },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'app' },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [
          {
            name: 'main',
            image: data.images().gnu,
            command: ['sleep', '100000'],
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
      },
    },
  )
  await data.kube().pods.waitReady({ namespace, name: 'app' }, { timeoutMs: 120_000 })
})

function repositoryAt(path: string, password: string): ResticRepository {
  const { endpoint, accessKey, secretKey } = world().s3
  return {
    at: `s3:${endpoint}/${data.bucket}/${path}`,
    password,
    env: { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey },
  }
}

const sh = (script: string): Promise<string> => shellIn(world(), namespace, 'app', script)

async function secretText(field: string, name: (name: string) => boolean): Promise<string> {
  const { items } = await data.kube().resource(kinds.secrets).list({ namespace })
  const secret = items.find(({ metadata }) => name(metadata.name))
  return Buffer.from(secret?.data?.[field] ?? '', 'base64').toString()
}

describe('a repository that Kanister made with its public default key', () => {
  const old = (): ResticRepository => repositoryAt('kanister/app', kanisterDefault)
  const folder = mkdtempSync(join(tmpdir(), 'kanister-'))

  beforeAll(() => {
    writeFileSync(join(folder, 'file'), 'kept by restic')
    restic(old(), ['init'])
    restic(old(), ['backup', '--tag', 'abcdefghij', folder])
    return () => rmSync(folder, { recursive: true })
  })

  test('is restored from, by tag, at the path it had', async () => {
    await runFunction(restoreData, context().ctx, {
      namespace,
      image: data.images().gnu,
      backupArtifactPrefix: 'kanister/app',
      backupTag: 'abcdefghij',
      volumes: { data: '/data' },
      restorePath: '/data/restored',
    })

    expect(await sh(`cat /data/restored${folder}/file`)).toBe('kept by restic')
  })

  test('is added to and deleted from, and restic agrees', async () => {
    await sh('mkdir -p /data/more && echo more > /data/more/file')
    const args = { namespace, backupArtifactPrefix: `${data.bucket}/kanister/app` }

    const outputs = await runFunction(backupData, context().ctx, {
      ...args,
      pod: 'app',
      container: 'main',
      includePath: '/data/more',
    })
    await runFunction(deleteData, context().ctx, { ...args, backupTag: 'abcdefghij' })

    const left = JSON.parse(restic(old(), ['snapshots', '--json']).toString()) as ReadonlyArray<{
      short_id: string
      paths: string[]
    }>
    expect(left).toMatchObject([{ short_id: outputs?.['backupID'], paths: ['/data/more'] }])
    expect(restic(old(), ['dump', String(outputs?.['backupID']), '/data/more/file']).toString()).toBe('more\n')
    expect(restic(old(), ['check', '--read-data']).toString()).toContain('no errors were found')
  })
})

test('what Kanister’s BackupDataAll kept with a key of its own comes back by the JSON that it gave, and is deleted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'kanister-all-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'file'), 'kept of a pod')
  const old = repositoryAt('team/db/app', 'their own key')
  restic(old, ['init'])
  restic(old, ['backup', '--tag', 'klmnopqrst', folder])
  const [snapshot] = JSON.parse(restic(old, ['snapshots', '--json']).toString()) as [{ short_id: string }]
  const backupInfo = JSON.stringify({ app: { PodName: 'app', BackupID: snapshot.short_id, BackupTag: 'klmnopqrst' } })
  // Kanister wants the bucket before the prefix here.
  const args = { namespace, encryptionKey: 'their own key', backupArtifactPrefix: `${data.bucket}/team/db`, backupInfo }
  const StatefulSet = { Name: 'db', Namespace: namespace, Pods: ['app'], PersistentVolumeClaims: { app: { data: '/data' } } }
  const { ctx } = context({ params: { StatefulSet } })

  await runFunction(restoreDataAll, ctx, { ...args, image: data.images().gnu, restorePath: '/data/all' })
  const deleted = await runFunction(deleteDataAll, context().ctx, { ...args, reclaimSpace: true })

  expect(await sh(`cat /data/all${folder}/file`)).toBe('kept of a pod')
  expect(deleted?.['spaceFreed']).toMatch(/^[1-9]/)
  expect(JSON.parse(restic(old, ['snapshots', '--json']).toString())).toEqual([])
  expect(restic(old, ['check']).toString()).toContain('no errors were found')
})

test('a repository of ours opens in restic by its working password and by the recovery key', async () => {
  const outputs = await runFunction(backupStream, context().ctx, {
    namespace,
    pod: 'app',
    command: ['seq', '1', '100000'],
    name: 'numbers',
  })

  const path = `below/${String(outputs?.['repository'])}`
  const working = repositoryAt(path, await secretText('password', (name) => name.startsWith('holdfast-repo-')))
  const config = JSON.parse(restic(working, ['cat', 'config']).toString()) as { readonly id: string }
  const recoveryKey = await secretText('recoveryKey', (name) => name === 'holdfast-recovery-key')
  const recovered = repositoryAt(path, derivePassword(recoveryKey, config.id))
  expect(restic(working, ['dump', 'latest', '/numbers'])).toHaveLength(Number(outputs?.['size']))
  expect(restic(recovered, ['check', '--read-data']).toString()).toContain('no errors were found')
})

test('what a cluster lost is read by another with the recovery key alone', async () => {
  const place = { namespace, pod: 'app', container: 'main', backupArtifactPrefix: 'moved' }
  const outputs = await runFunction(backupData, context().ctx, { ...place, includePath: '/etc/hostname' })
  const { items } = await data.kube().resource(kinds.secrets).list({ namespace })
  for (const { metadata } of items.filter(({ metadata: { name } }) => name.startsWith('holdfast-repo-'))) {
    await data.kube().resource(kinds.secrets).delete({ namespace, name: metadata.name })
  }

  const restored = runFunction(restoreData, context().ctx, {
    namespace,
    image: data.images().gnu,
    backupArtifactPrefix: 'moved',
    backupTag: outputs?.['backupTag'],
    volumes: { data: '/data' },
    restorePath: '/data/moved',
  })

  await restored
  expect(await sh('cat /data/moved/etc/hostname')).toBe(await sh('cat /etc/hostname'))
})
