import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Run } from '../../../src/api/run.ts'
import { names } from '../../../src/api/names.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
  world.blueprint({ backup: { phases: [say('p', 'one')] } })
})
afterEach(async () => {
  await world.close()
})

const spec = { actionSet: { name: 'old', uid: 'u' }, queue: { objects: ['a'] }, actions: [{ action: { name: 'backup' } }] }

test.each([
  ['that a backup tool brought back without its status', { spec }],
  ['without the journal of one of its actions', { spec, status: { state: 'running', actions: {} } }],
  ['that somebody wrote by hand', {}],
])('a Run %s keeps nothing else from running', async (_, body) => {
  const labels = { [names.unfinished]: 'true', [names.serialized]: 'true', [names.cancel]: 'true' }
  const metadata = { name: 'run-u', namespace, labels }
  const strange = world.api.put(ownKinds.runs, {
    apiVersion: 'holdfast.dev/v1alpha1',
    kind: 'Run',
    metadata,
    ...body,
  } as unknown as Run)

  await world.start()
  world.actionSet([onApp('backup')], { spec: { actions: [onApp('backup')], serialize: 'Object' } })

  await world.ended('complete')
  expect(world.api.read(ownKinds.runs, namespace, 'run-u')).toEqual(strange)
})
