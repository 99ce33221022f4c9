import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Schedule } from '../../../src/api/schedule.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { deriveCatalogKey } from '../../../src/catalog/catalog-key.ts'
import { startPrune } from '../../../src/controllers/retention/prune.ts'
import { lostBy, noteLost } from '../../../src/controllers/retention/space.ts'
import { createRepositories } from '../../../src/functions/open-repositories.ts'
import type { Live } from '../../../src/kube/objects.ts'
import { openStore } from '../../../src/store/location.ts'
import { MemoryStore } from '../../../src/store/memory.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { profileObjects } from '../../harness/profile-objects.ts'
import { useBucket } from '../../harness/world/fixtures.ts'
import { apply } from '../../harness/world/objects.ts'
import { pieces } from '../../unit/repository/streams.ts'
import { useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace, world } = installation
const bucket = useBucket(world)
const { signal } = new AbortController()
const size = 3 << 20

test('a delete action says where the space is, and the prune that the retention asks for is done by a worker', async () => {
  const kube = installation.kube()
  const { endpoint, region, accessKey, secretKey } = world().s3
  const location = { type: 's3Compliant', bucket, endpoint, prefix: 'team', region, caBundle: '', checksums: '' }
  const profile = {
    location,
    credential: { type: 'keyPair', keyPair: { id: accessKey, secret: secretKey } },
    skipSslVerify: false,
  }
  const given = { name: 'profile', namespace, bucket, endpoint, region, accessKey, secretKey, prefix: 'team' }
  await apply(world(), namespace, JSON.stringify(profileObjects(given)))
  const ids: string[] = []
  {
    const repositories = createRepositories({ kube, namespace, holder: 'test', openStore })
    await using repository = await repositories.openForNamespace({ profile, namespace, create: true, signal })
    for (const filename of ['gone', 'stays'])
      ids.push((await repository.backupStream({ stream: pieces(randomBytes(size), 1 << 20), filename })).snapshotId)
  }
  await installation.start('run', 'w1')
  await installation.blueprint({
    delete: { phases: [{ func: 'DeleteStream', name: 'forget', args: { namespace, snapshotID: ids[0] as string } }] },
  })
  const object = { kind: 'Namespace', name: namespace, namespace }
  await installation.create([{ name: 'delete', blueprint: 'bp', object, profile: { name: 'profile', namespace } }])
  const lost = lostBy((await installation.ended('complete')) as never, '')
  expect(lost).toEqual([{ path: `${bucket}/team/holdfast/${namespace}`, profile: `${namespace}/profile` }])

  const [due] = noteLost([], lost, systemClock.now())
  const schedule = {
    metadata: { name: 'nightly', namespace, uid: 'u', resourceVersion: '1' },
    spec: {},
  } as unknown as Live<Schedule>
  const catalog = { location: new MemoryStore(), key: deriveCatalogKey(Buffer.alloc(32, 1), 'a'), installation: 'i' }
  const events = kube.eventSink('test')
  const deps = { kube, events, clock: systemClock, log: silentLogger }
  const question = { schedule, catalog, namespaces: new Set([namespace]), now: systemClock.now() }
  const asked = await startPrune(deps, question, due as NonNullable<typeof due>, signal)
  const { status } = await installation.ended('complete', asked.actionSet)

  const output = status?.actions?.[0]?.phases?.[0]?.output
  expect(output).toMatchObject({ freedBytes: '0', spaceFreed: '0 B' })
  expect(Number(output?.['waitingBytes'])).toBeGreaterThan(size)
})
