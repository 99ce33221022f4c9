import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { deleteStream } from '../../../src/functions/delete-stream.ts'
import type { OpenedRepository } from '../../../src/functions/repositories.ts'
import { pruneRepository } from '../../../src/functions/prune-repository.ts'
import { defineResource, type Unstructured } from '../../../src/kube/objects.ts'
import { runFunction } from '../../build/function-context.ts'
import { ensureRestic, restic } from '../../harness/restic.ts'
import { bytesOf, pieces } from '../../unit/repository/streams.ts'
import { useDataWorld } from './data-world.ts'

const data = useDataWorld()
const leases = defineResource<Unstructured>({ group: 'coordination.k8s.io', version: 'v1', resource: 'leases' })
const size = 20 << 20

function open(): Promise<OpenedRepository> {
  const { signal } = new AbortController()
  const request = { profile: data.profile(), namespace: data.namespace, create: true, encryptionKey: 'w', signal }
  return data.repositories().openForNamespace(request)
}

test('what a delete action left is given back by two runs beside a backup, under the Lease, and restic finds nothing wrong', async () => {
  await ensureRestic()
  const kept = randomBytes(size)
  const ids: string[] = []
  {
    await using repository = await open()
    for (const bytes of [randomBytes(size), kept])
      ids.push((await repository.backupStream({ stream: pieces(bytes, 1 << 20), filename: 'dump' })).snapshotId)
  }
  const said = await runFunction(deleteStream, data.context().ctx, {
    namespace: data.namespace,
    snapshotID: ids[0],
    encryptionKey: 'w',
  })
  const backupArtifactPrefix = String(said?.['unpruned'])
  // By the recovery key: the retention knows no key of a Blueprint.
  const prune = (parts = {}): Promise<Record<string, unknown> | undefined> =>
    runFunction(pruneRepository, data.context(parts).ctx, { backupArtifactPrefix, grace: '0s' })

  await using beside = await open()
  const added = randomBytes(size)
  const [marked, backup] = await Promise.all([
    prune(),
    beside.backupStream({ stream: pieces(added, 1 << 20), filename: 'beside' }),
  ])
  // Killed in the middle: the next attempt removes its lock and goes on.
  const dying = data.context({ onCheckpoint: () => Promise.reject(new Error('killed')) })
  await expect(runFunction(pruneRepository, dying.ctx, { backupArtifactPrefix, grace: '0s' })).rejects.toThrow('killed')
  const swept = await prune({ resumed: dying.checkpoints.at(-1) })

  expect(Number(marked?.['waitingBytes'])).toBeGreaterThan(size)
  expect(Number(swept?.['freedBytes'])).toBeGreaterThan(size)
  expect(swept).toMatchObject({ waitingBytes: '0' })
  const names = (await data.kube().resource(leases).list({ namespace: data.namespace })).items.map(
    ({ metadata }) => metadata.name,
  )
  expect(names.filter((name) => name.startsWith('holdfast-prune-'))).toHaveLength(1)
  const after = { id: ids[1] ?? '' }
  expect((await bytesOf(beside.restoreStream({ snapshot: after }))).equals(kept)).toBe(true)
  expect((await bytesOf(beside.restoreStream({ snapshot: { id: backup.snapshotId } }))).equals(added)).toBe(true)
  const { endpoint, accessKey, secretKey } = data.world().s3
  const env = { AWS_ACCESS_KEY_ID: accessKey, AWS_SECRET_ACCESS_KEY: secretKey }
  const theirs = { at: `s3:${endpoint}/${backupArtifactPrefix}`, password: 'w', env }
  expect(restic(theirs, ['check', '--read-data']).toString()).toContain('no errors were found')
})
