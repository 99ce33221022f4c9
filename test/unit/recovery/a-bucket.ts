import { createHash } from 'node:crypto'
import { appendLink, recordLink } from '../../../src/catalog/chain-store.ts'
import { type BackupRecord, renderRecord } from '../../../src/catalog/record.ts'
import { recordKey } from '../../../src/catalog/record-key.ts'
import { type RecoveryPlace, recoveryKeyOf } from '../../../src/recovery/place.ts'
import { createRecoveryKey } from '../../../src/repository/keys/recovery-key.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { pushObject } from '../../../src/store/plain-object.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { pieces } from '../repository/streams.ts'

export const recoveryKey = createRecoveryKey()
const key = recoveryKeyOf(recoveryKey)
export const dump = Buffer.from('-- a dump\n'.repeat(5000))
export const pushed = Buffer.from('pushed by kando\n'.repeat(3000))

const restore = { phases: [{ func: 'RestoreStream', name: 'load', args: {} }] }

export function aRecord(index: number, more: Partial<BackupRecord> = {}): BackupRecord {
  return {
    id: `u${index}aaaaaa-0`,
    actionSet: { name: `backup-${index}`, namespace: 'holdfast', uid: `u${index}aaaaaa` },
    request: { name: 'backup', blueprint: 'postgresql', options: { user: 'me' } },
    action: 'backup',
    object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' },
    blueprint: {
      name: 'postgresql',
      sha256: 'ab'.repeat(32),
      body: {
        apiVersion: 'cr.kanister.io/v1alpha1',
        kind: 'Blueprint',
        metadata: { name: 'postgresql', namespace: 'holdfast' },
        actions: { backup: { phases: [] }, restore },
      },
    },
    profile: {
      name: 'p',
      namespace: 'holdfast',
      location: { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: 'team', region: '' },
      skipSSLVerify: false,
    },
    artifacts: {},
    phases: [],
    startedAt: new Date(Date.UTC(2026, 0, 1) + index * 60_000).toISOString(),
    finishedAt: new Date(Date.UTC(2026, 0, 1) + index * 60_000 + 10_000).toISOString(),
    installation: { id: 'installation-1', cluster: 'cluster-1' },
    images: ['postgres:15'],
    manifests: [],
    engineVersion: '0.1.0',
    ...more,
  }
}

/** A bucket with a stream, an object of kando, and what the catalog says of both. */
export async function aBucket() {
  const root = new MemoryStore()
  const location = withPrefix(root, 'team')
  const repository = await initRepository(withPrefix(root, 'team/holdfast/shop'), {
    keys: [{ workingPassword: 'w' }, { recoveryKey }],
  })
  const kept = await repository.backupStream({ stream: pieces(dump, 10_000), filename: 'db.pgdump', tags: ['t'] })
  await pushObject(root, 'team/mysql/today.sql', pieces(pushed, 10_000))
  const output = {
    snapshotID: kept.snapshotId,
    repository: 'holdfast/shop',
    path: '/db.pgdump',
    size: String(dump.length),
    sha256: sha256(dump),
  }
  const records = [
    aRecord(1, {
      phases: [{ name: 'dump', func: 'BackupStream', output }],
      artifacts: { dump: { keyValue: { snapshot: kept.snapshotId, repository: 'holdfast/shop', sha256: sha256(dump) } } },
    }),
    aRecord(2, {
      phases: [{ name: 'push', func: 'KubeTask', output: {} }],
      artifacts: { mysql: { keyValue: { path: 'mysql/today.sql' } } },
    }),
  ]
  for (const record of records) await putRecord(location, record)
  const place: RecoveryPlace = { root, location, bucket: 'b', prefix: 'team', keys: [key], passwords: [] }
  return { root, location, records, place, snapshot: kept.snapshotId }
}

/** Records of two backups and no data: for what looks at the catalog alone. */
export async function aCatalog() {
  const root = new MemoryStore()
  const location = withPrefix(root, 'team')
  for (const record of [aRecord(1), aRecord(2)]) await putRecord(location, record)
  const place: RecoveryPlace = { root, location, bucket: 'b', prefix: 'team', keys: [key], passwords: [] }
  return { location, place }
}

export async function putRecord(location: RecoveryPlace['location'], record: BackupRecord): Promise<void> {
  const text = Buffer.from(renderRecord(record, key.catalog))
  await location.put(recordKey(record), text)
  const chain = { location, installation: record.installation.id, object: record.object, key: key.catalog }
  await appendLink(chain, recordLink(record.id, recordKey(record), text, record.finishedAt))
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
