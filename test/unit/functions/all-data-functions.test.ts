import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { backupDataAll } from '../../../src/functions/backup-data-all.ts'
import type { PhaseOutputs } from '../../../src/functions/define.ts'
import { deleteDataAll } from '../../../src/functions/delete-data-all.ts'
import { restoreDataAll } from '../../../src/functions/restore-data-all.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { TemplateParams } from '../../../src/template/variables.ts'
import { runFunction } from '../../build/function-context.ts'
import { aClaim, type LocalDataWorld, useLocalDataWorld } from './data-world.ts'

const world = useLocalDataWorld()

/** A StatefulSet `db` whose pods have a claim each. */
function aWorkload(...pods: string[]): TemplateParams {
  const claims = Object.fromEntries(pods.map((pod) => [pod, { [`data-${pod}`]: '/data' }]))
  return { StatefulSet: { Name: 'db', Namespace: 'app', Pods: pods, PersistentVolumeClaims: claims } }
}

interface Left {
  readonly restoreLocks: readonly string[]
}

// A key that is given is tried alone, which saves the slow derivation of others.
const place = { namespace: 'app', backupArtifactPrefix: 'x', encryptionKey: 'given' }

function keepArgs({ folder }: LocalDataWorld): Record<string, unknown> {
  mkdirSync(`${folder}/data`)
  writeFileSync(`${folder}/data/file`, 'kept')
  return { ...place, container: 'main', includePath: `${folder}/data` }
}

async function keep(pods: string[]): Promise<string> {
  const outputs = await runFunction(backupDataAll, world().context({ params: aWorkload(...pods) }).ctx, keepArgs(world()))
  return String(outputs?.['BackupAllInfo'])
}

describe('BackupDataAll', () => {
  test('every running pod has a repository of its own, and the info is as Kanister prints it', async () => {
    const { context, exec, bucket } = world()

    const outputs = await runFunction(backupDataAll, context({ params: aWorkload('db-1', 'db-0') }).ctx, keepArgs(world()))

    expect(outputs?.['BackupAllInfo']).toMatch(
      /^\{"db-0":\{"PodName":"db-0","BackupID":"[0-9a-f]{8}","BackupTag":"[0-9a-z]{10}"\},"db-1":\{"PodName":"db-1",[^}]*\}\}$/,
    )
    expect(outputs?.['version']).toBe('v0.0.0')
    expect(new Set(exec.calls.map(({ target }) => `${target.pod}/${target.container}`))).toEqual(
      new Set(['db-0/main', 'db-1/main']),
    )
    expect([await bucket.head('x/db-0/config'), await bucket.head('x/db-1/config')]).not.toContain(undefined)
  })

  test('named pods win over those of the object', async () => {
    const { context } = world()
    const args = { ...keepArgs(world()), pods: ' other-7\n' }

    const outputs = await runFunction(backupDataAll, context({ params: aWorkload('db-0') }).ctx, args)

    expect(Object.keys(JSON.parse(String(outputs?.['BackupAllInfo'])) as object)).toEqual(['other-7'])
  })

  test('no pods is a failure, unless it is allowed', async () => {
    const { ctx } = world().context({ params: aWorkload() })
    const args = keepArgs(world())

    await expect(runFunction(backupDataAll, ctx, args)).rejects.toThrow(/no pod of "app\/db" was running[^]*allowEmpty/)
    await expect(runFunction(backupDataAll, world().context().ctx, args)).rejects.toThrow(/Unsupported workload type/)
    expect(await runFunction(backupDataAll, ctx, { ...args, allowEmpty: 'true' })).toMatchObject({ BackupAllInfo: '{}' })
  })

  test('an empty path, as of a template that came out empty, is refused instead of keeping the root of the container', async () => {
    const { ctx } = world().context({ params: aWorkload('db-0') })

    await expect(runFunction(backupDataAll, ctx, { ...keepArgs(world()), includePath: ' ' })).rejects.toThrow(
      /includePath is empty/,
    )
  })

  test('a failure names the snapshots that were finished before it', async () => {
    const { context } = world()
    const args = keepArgs(world())
    await runFunction(backupDataAll, context().ctx, { ...args, encryptionKey: 'other', pods: 'db-2' })
    const recorded = context({ params: aWorkload('db-0', 'db-1', 'db-2') })

    const failure = runFunction(backupDataAll, recorded.ctx, args)

    await expect(failure).rejects.toMatchObject({ code: 'FUNCTION_NO_KEY' })
    expect(recorded.warnings.join()).toMatch(/belong to no artifact: [0-9a-f]{8} of pod db-/)
  })

  test('after a crash, what was finished is not kept twice, and what was not is kept', async () => {
    const { context } = world()
    const args = keepArgs(world())
    const params = aWorkload('db-0', 'db-1')
    const backups = (outputs?: PhaseOutputs): unknown => JSON.parse(String(outputs?.['BackupAllInfo']))
    const first = context({ params })
    const before = backups(await runFunction(backupDataAll, first.ctx, args)) as Record<string, unknown>
    const whole = first.checkpoints.at(-1) as { readonly parts: Record<string, unknown> }
    const half = { parts: { 'db-0': whole.parts['db-0'], 'db-1': { backupTag: 'neverthere' } } }

    const same = backups(await runFunction(backupDataAll, context({ params, resumed: whole }).ctx, args))
    const more = backups(await runFunction(backupDataAll, context({ params, resumed: half }).ctx, args)) as typeof before

    expect(same).toEqual(before)
    expect(more['db-0']).toEqual(before['db-0'])
    expect(more['db-1']).toMatchObject({ PodName: 'db-1' })
    expect(more['db-1']).not.toEqual(before['db-1'])
  })
})

describe('RestoreDataAll', () => {
  const restoreArgs = (backupInfo: string): Record<string, unknown> => ({
    ...place,
    image: 'tools',
    backupInfo,
    restorePath: `${world().folder}/restored`,
  })

  test('each backup goes into a pod that mounts the claims of the pod of that name; none is left', async () => {
    const { api, context, folder } = world()
    const backupInfo = await keep(['db-0', 'db-1'])
    for (const pod of ['db-0', 'db-1']) aClaim(api, `data-${pod}`)
    const mounted: unknown[] = []
    api.before = ({ verb, resource }) => {
      if (verb === 'get' && resource === 'pods') mounted.push(...api.all(kinds.pods).map(({ spec }) => spec?.volumes))
    }

    const outputs = await runFunction(
      restoreDataAll,
      context({ params: aWorkload('db-0', 'db-1') }).ctx,
      restoreArgs(backupInfo),
    )

    expect(outputs).toBeUndefined()
    expect(readFileSync(`${folder}/restored${folder}/data/file`, 'utf8')).toBe('kept')
    expect(JSON.stringify(mounted)).toContain('"claimName":"data-db-0"')
    expect(JSON.stringify(mounted)).toContain('"claimName":"data-db-1"')
    expect(api.all(kinds.pods)).toEqual([])
  })

  test('the locks that a killed restore left go with the next attempt, those of each pod, and no others', async () => {
    const { api, bucket, context } = world()
    const params = aWorkload('db-0', 'db-1')
    const backupInfo = await keep(['db-0', 'db-1'])
    for (const pod of ['db-0', 'db-1']) aClaim(api, `data-${pod}`)
    const first = context({ params })
    await runFunction(restoreDataAll, first.ctx, restoreArgs(backupInfo))
    const locksOf = (pod: string): string[] => {
      const { parts } = first.checkpoints.at(-1) as {
        readonly parts: Record<string, { readonly parts: { readonly locks: Left } }>
      }
      return [...(parts[pod]?.parts.locks.restoreLocks ?? [])]
    }
    const left = ['db-0', 'db-1'].flatMap((pod) => locksOf(pod).map((id) => `x/${pod}/locks/${id}`))
    // As the process was killed before it removed them; one more is a stranger's.
    for (const key of left) await bucket.put(key, Buffer.from('a lock'))
    const deleted: string[] = []
    const remove = bucket.delete.bind(bucket)
    bucket.delete = async (key, options) => {
      deleted.push(key)
      await remove(key, options)
    }

    await runFunction(restoreDataAll, context({ params, resumed: first.checkpoints.at(-1) }).ctx, restoreArgs(backupInfo))

    expect(left).toHaveLength(2)
    expect(deleted).toEqual(expect.arrayContaining(left))
    expect((await Array.fromAsync(bucket.list('x/'))).filter(({ key }) => key.includes('/locks/'))).toEqual([])
  })

  test('podMap finds the backup of a pod that was renamed', async () => {
    const { api, context, folder } = world()
    const backupInfo = await keep(['db-old'])
    aClaim(api, 'data-db-new')
    const recorded = context({ params: aWorkload('db-new') })

    await runFunction(restoreDataAll, recorded.ctx, { ...restoreArgs(backupInfo), podMap: { 'db-old': 'db-new' } })

    expect(readFileSync(`${folder}/restored${folder}/data/file`, 'utf8')).toBe('kept')
    expect(recorded.warnings).toEqual([])
  })

  test('a pod without a backup is a failure before anything is made, a backup without a pod a warning', async () => {
    const { api, context } = world()
    const backupInfo = await keep(['db-0', 'db-1'])
    aClaim(api, 'data-db-0')
    const args = restoreArgs(backupInfo)
    const fewer = context({ params: aWorkload('db-0') })

    await runFunction(restoreDataAll, fewer.ctx, args)
    const requests = api.requests.length
    const more = runFunction(restoreDataAll, context({ params: aWorkload('db-0', 'db-2') }).ctx, args)
    const stray = runFunction(restoreDataAll, context({ params: aWorkload('db-0') }).ctx, {
      ...args,
      podMap: { 'db-1': 'db-9' },
    })

    expect(fewer.warnings.join()).toMatch(/not restored[^]*db-1/)
    await expect(more).rejects.toThrow('backupInfo holds no backup of pod db-2; it has db-0, db-1')
    await expect(stray).rejects.toThrow('podMap names db-9, which is not among the pods db-0')
    expect(api.requests).toHaveLength(requests)
  })

  test.each(['', 'null', '[]', '{"a":1}', '{"../x":{"BackupID":"1"}}', '{"db-0":{"BackupID":""}}'])(
    'backupInfo %j is refused',
    async (backupInfo) => {
      const { ctx } = world().context({ params: aWorkload('db-0') })

      await expect(runFunction(restoreDataAll, ctx, restoreArgs(backupInfo))).rejects.toThrow(
        /backupInfo must be the output BackupAllInfo/,
      )
    },
  )

  test('two backups for one pod are refused', async () => {
    const args = { ...restoreArgs('{}'), podMap: { a: 'c', b: 'c' } }

    await expect(runFunction(restoreDataAll, world().context().ctx, args)).rejects.toThrow(
      'podMap sends two backups to one pod',
    )
  })
})

describe('DeleteDataAll', () => {
  test('every snapshot goes, its space comes back, and a second time is no failure', async () => {
    const { context, bucket } = world()
    const backupInfo = await keep(['db-0', 'db-1'])
    const args = { ...place, backupInfo, reclaimSpace: true }

    const first = await runFunction(deleteDataAll, context().ctx, args)
    const second = await runFunction(deleteDataAll, context().ctx, args)

    expect(first?.['spaceFreed']).toMatch(/^\d+(\.\d{3} KiB| B)$/)
    expect(first?.['spaceFreed']).not.toBe('0 B')
    expect(second).toEqual({ spaceFreed: '0 B' })
    const keys = (await Array.fromAsync(bucket.list('x/'))).map(({ key }) => key)
    expect(keys.filter((key) => /snapshots|data/.test(key))).toEqual([])
  })

  test('an empty info is a failure, unless it is allowed', async () => {
    const { ctx } = world().context()

    await expect(runFunction(deleteDataAll, ctx, { ...place, backupInfo: '{}' })).rejects.toThrow(/names no backup/)
    expect(await runFunction(deleteDataAll, ctx, { ...place, backupInfo: '{}', allowEmpty: true })).toEqual({
      spaceFreed: '0 B',
    })
  })
})
