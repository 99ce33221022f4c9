import { expect, test } from 'vitest'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { restoreApplication, stateAfterFailure } from '../../../src/recovery/restore-application.ts'
import type { RestorePlan } from '../../../src/recovery/restore-plan.ts'
import { FakeApi } from '../../build/fake-api.ts'

const object = (kind: string, resource: string, what: 'create' | 'keep' = 'create') => ({
  what,
  manifest: { apiVersion: 'v1', kind, metadata: { name: 'db', namespace: 'shop' } },
  resource: { group: '', version: 'v1', resource },
})
const plan: RestorePlan = {
  backup: 'backup-1',
  target: { kind: 'ConfigMap', namespace: 'shop', name: 'db' },
  objects: [object('ConfigMap', 'configmaps'), object('Service', 'services')],
  spec: { name: 'restore', blueprint: 'postgresql', artifacts: {} },
  findings: [],
  expectedSeconds: 1,
}

function run(api: FakeApi) {
  const cluster = {
    kube: api.kube(),
    namespace: 'engine',
    profile: { name: 'p', namespace: 'engine' },
    signal: new AbortController().signal,
  }
  return restoreApplication(cluster, plan, { suffix: 'xxxxx', readyTimeoutMs: 1000, say: () => undefined })
}

test('manifests are made before the engine is asked for the data', async () => {
  const api = new FakeApi()

  const name = await run(api)

  const created = api.requests.filter(({ verb }) => verb === 'create').map(({ resource }) => resource)
  expect(created).toEqual(['configmaps', 'services', 'actionsets'])
  expect(api.read(ownKinds.actionSets, 'engine', name)).toMatchObject({
    metadata: { name: 'restore-1-xxxxx', annotations: { 'holdfast.dev/restored-from': 'backup-1' } },
    spec: { actions: [{ name: 'restore' }] },
  })
})

test('a failure says what was made until then, that no data was restored, and how to go on', async () => {
  const api = new FakeApi()
  api.before = ({ resource }) => {
    if (resource === 'services') throw kubeError('KUBE_INVALID', 'the port is taken')
  }

  await expect(run(api)).rejects.toThrow(
    'the port is taken. Made until then: ConfigMap shop/db; no data was restored. When the cause is gone, go on with: holdfast backup restore backup-1 … --into-existing',
  )
  expect(api.read(kinds.configMaps, 'shop', 'db')).toBeDefined()
  expect(api.all(ownKinds.actionSets)).toEqual([])
})

test('after the data could not be restored it is said that nobody is to be let in', () => {
  const text = stateAfterFailure(plan, 'restore-1-xxxxx', 'engine')

  expect(text).toContain('its data is NOT restored, or only a part of it: do not let users in')
  expect(text).toContain('kubectl get actionset -n engine restore-1-xxxxx')
  expect(text).toContain('delete what was created (ConfigMap shop/db, Service shop/db)')
})
