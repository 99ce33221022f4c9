import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintAction } from '../../../src/api/blueprint.ts'
import { removesBackup } from '../../../src/controllers/actionset/foreign-backups.ts'
import { getFunction } from '../../../src/functions/registry.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'

let world: EngineWorld
beforeEach(async () => {
  world = new EngineWorld()
  world.blueprint({
    backup: { phases: [say('p', 'backup')] },
    restore: { phases: [say('p', 'restore')] },
    delete: { phases: [say('p', 'delete')] },
  })
  await world.start()
})
afterEach(() => world.close())

const artifacts = { dump: { keyValue: { snapshot: 'abc', repository: 'r' } }, more: { keyValue: { path: 'x/1' } } }

/** As an import leaves it. */
function imported(label: string, name = 'theirs', of: ActionSpec['artifacts'] = artifacts): void {
  const metadata = {
    name,
    namespace,
    labels: { 'holdfast.dev/imported': label },
    annotations: { 'holdfast.dev/imported-installation': 'production' },
  }
  world.actionSet([onApp('backup')], { metadata, status: { state: 'complete', actions: [{ name: 'backup', artifacts: of }] } })
}

/** Gives the message of a failure. */
async function run(action: string, given: ActionSpec['artifacts'], state: 'complete' | 'failed', name = 'as'): Promise<string> {
  world.actionSet([{ ...onApp(action), ...(given ? { artifacts: given } : {}) }], {}, name)
  return (await world.ended(state, name)).status?.error?.message ?? ''
}

describe('an ActionSet written by hand that would remove an imported backup', () => {
  test('is refused, with code, object and way out, and nothing of it runs', async () => {
    imported('true')

    const message = await run('delete', artifacts, 'failed')

    expect(message).toMatch(/CONTROLLER_FOREIGN_BACKUP: .*"theirs".*installation production.*holdfast dr takeover/)
    expect(world.calls).toEqual([])
    expect(world.api.all(ownKinds.runs)).toEqual([])
    expect(world.api.events.map(({ message: told }) => told)).toContainEqual(expect.stringContaining('FOREIGN_BACKUP'))
  })

  test('is refused also when it is given a part of the artifacts, under another name', async () => {
    imported('true')

    expect(await run('delete', { other: artifacts.dump }, 'failed')).toContain('CONTROLLER_FOREIGN_BACKUP')
  })

  test('runs after a takeover, also one that the cache does not know of yet', async () => {
    imported('true')
    // The watch tells nothing of what happens now.
    world.api.watchFault = () => 'drop'
    imported('owned')
    world.api.watchFault = () => undefined

    await run('delete', artifacts, 'complete')

    expect(world.calls).toEqual(['delete'])
  })
})

/** How a delete ends that is asked for in namespace `tenant`. */
async function deleteByTenant(): Promise<unknown> {
  const metadata = { name: 'as', namespace: 'tenant' }
  world.api.put(ownKinds.blueprints, {
    kind: 'Blueprint',
    metadata: { ...metadata, name: 'bp' },
    actions: { delete: {} },
  } as never)
  world.actionSet([{ ...onApp('delete'), artifacts }], { metadata })
  return await waitFor('it to end', () => {
    const { status } = world.api.read(ownKinds.actionSets, 'tenant', 'as') ?? {}
    const hasRun = world.api.all(ownKinds.runs).length > 0
    return !hasRun && (status?.state === undefined || status.state === 'pending') ? undefined : status
  })
}

const refused = { state: 'failed', error: { message: expect.stringContaining('CONTROLLER_FOREIGN_BACKUP') } }

test('a delete in another watched namespace is refused too', async () => {
  await world.close()
  imported('true')
  await world.operator({}, {}, [namespace, 'tenant']).ready

  expect(await deleteByTenant()).toMatchObject(refused)
})

test('it is refused also while another process leads the namespace of the import', async () => {
  await world.close()
  imported('true')
  imported('owned', 'ours', { dump: { keyValue: { snapshot: 'ours' } } })
  world.api.beforeLease = (of) => (of === namespace ? new Promise(() => undefined) : undefined)
  world.operator({}, {}, [namespace, 'tenant'])

  expect(await deleteByTenant()).toMatchObject(refused)
})

test('restores of an imported backup are free, and so are deletes of a backup of our own', async () => {
  imported('true')

  await run('restore', artifacts, 'complete', 'back')
  await run('delete', { dump: { keyValue: { snapshot: 'mine' } } }, 'complete', 'gone')

  expect(world.calls).toEqual(['restore', 'delete'])
})

test('an action removes by its name, by a function that does, or by a command; a restore may tidy up', () => {
  const removes = (name: string, phase: object = {}): boolean =>
    removesBackup(
      { action: { name }, blueprint: { phases: [{ name: 'p', func: 'KubeTask', args: {}, ...phase }] } as BlueprintAction },
      getFunction,
    )
  const command = { args: { command: ['bash', '-c', 'kando location delete --profile x'] } }

  expect(removes('delete')).toBe(true)
  expect(removes('deleteBackup')).toBe(true)
  expect(removes('tidy', { func: 'DeleteData' })).toBe(true)
  expect(removes('tidy', { func: 'LocationDelete' })).toBe(true)
  expect(removes('tidy', command)).toBe(true)
  expect(removes('tidy', { args: { command: ['kando', 'location', 'delete'] } })).toBe(true)
  expect(removes('tidy')).toBe(false)
  expect(removes('backup', { func: 'BackupData' })).toBe(false)
  expect(removes('restore', command)).toBe(false)
})
