import { describe, expect, test } from 'vitest'
import { backupDataAll } from '../../../src/functions/backup-data-all.ts'
import { backupDataStats } from '../../../src/functions/backup-data-stats.ts'
import { checkRepository } from '../../../src/functions/check-repository.ts'
import { nameArgs } from '../../../src/engine/args.ts'
import type { Repositories } from '../../../src/functions/repositories.ts'
import { storeError } from '../../../src/store/errors.ts'
import { runFunction } from '../../build/function-context.ts'
import { useLocalDataWorld } from './data-world.ts'

const world = useLocalDataWorld()

/** A repository at `x/p` with one snapshot; gives its id. */
async function keep(): Promise<string> {
  const args = {
    namespace: 'app',
    pods: 'p',
    container: 'main',
    includePath: world().folder,
    backupArtifactPrefix: 'x',
    encryptionKey: 'given',
  }
  const outputs = await runFunction(backupDataAll, world().context().ctx, args)
  return (JSON.parse(String(outputs?.['BackupAllInfo'])) as { readonly p: { readonly BackupID: string } }).p.BackupID
}

/** Changes one bit of the last pack; gives its id. */
async function damageAPack(): Promise<string> {
  const { bucket } = world()
  const keys: string[] = []
  for await (const { key } of bucket.list('x/p/data/')) keys.push(key)
  const key = keys.at(-1) ?? ''
  const bytes = Buffer.from(await bucket.get(key))
  bytes[40] = (bytes[40] ?? 0) ^ 1
  await bucket.put(key, bytes)
  return key.slice(key.lastIndexOf('/') + 1)
}

const place = { backupArtifactPrefix: 'x/p', encryptionKey: 'given' }

describe('CheckRepository', () => {
  test('says in texts whether the repository is there and opens', async () => {
    const { context } = world()
    const absent = await runFunction(checkRepository, context().ctx, place)
    await keep()
    const there = await runFunction(checkRepository, context().ctx, { ...place, namespace: 'any', image: 'any' })
    const wrong = await runFunction(checkRepository, context().ctx, { ...place, encryptionKey: 'other' })

    expect(absent).toEqual({ passwordIncorrect: 'false', repoUnavailable: 'true', reason: 'absent', version: 'v0.0.0' })
    expect(there).toEqual({ passwordIncorrect: 'false', repoUnavailable: 'false', reason: 'ok', version: 'v0.0.0' })
    expect(wrong).toEqual({ passwordIncorrect: 'true', repoUnavailable: 'false', reason: 'wrongKey', version: 'v0.0.0' })
  })

  test.each([
    ['STORE_DENIED', 'denied'],
    ['STORE_NO_BUCKET', 'noBucket'],
    ['STORE_UNREACHABLE', 'unreachable'],
  ] as const)('%s is told apart as %s', async (code, reason) => {
    const repositories = failing(storeError(code, 'the store said so'))

    const outputs = await runFunction(checkRepository, world().context({ repositories }).ctx, place)

    expect(outputs).toMatchObject({ passwordIncorrect: 'false', repoUnavailable: 'true', reason })
  })

  test('reads a sample of the data and names the damaged pack', async () => {
    await keep()
    const check = (readDataSubset: string) => runFunction(checkRepository, world().context().ctx, { ...place, readDataSubset })

    const sound = await check('100%')
    const structure = await check('0%')
    const pack = await damageAPack()
    const damaged = await check('100%')

    expect(sound).toMatchObject({ reason: 'ok', findings: '', repoUnavailable: 'false' })
    expect(Number(sound?.['readBytes'])).toBeGreaterThan(0)
    expect(structure).toMatchObject({ reason: 'ok', readBytes: '0' })
    expect(damaged).toMatchObject({ reason: 'damaged', repoUnavailable: 'false' })
    expect(damaged?.['findings']).toContain(`pack ${pack}`)
  })

  test.each(['all', '101%', '3/2', '0/4'])('%s is no part of the data', async (readDataSubset) => {
    expect(checkRepository.checkArgs?.({ ...place, readDataSubset, insecureTLS: false })).toEqual([
      `readDataSubset "${readDataSubset}" is no part of the data; write 5% or 2/10`,
    ])
  })

  test('anything else is a failure of the phase', async () => {
    const repositories = failing(storeError('STORE_ALTERED', 'the store said so'))

    await expect(runFunction(checkRepository, world().context({ repositories }).ctx, place)).rejects.toMatchObject({
      code: 'STORE_ALTERED',
    })
  })
})

function failing(error: Error): Repositories {
  return { openByPrefix: () => Promise.reject(error), openForNamespace: () => Promise.reject(error) }
}

describe('BackupDataStats', () => {
  test('counts by the mode asked for, under either of its names', async () => {
    const { context } = world()
    const args = { ...place, namespace: 'app', backupID: await keep() }
    const { named } = nameArgs(backupDataStats, { ...args, mode: 'raw-data' })

    const plain = await runFunction(backupDataStats, context().ctx, args)
    const raw = await runFunction(backupDataStats, context().ctx, { ...named })

    expect(plain).toMatchObject({ mode: 'restore-size', size: '0 B', sizeBytes: '0', version: 'v0.0.0' })
    expect(raw).toMatchObject({ mode: 'raw-data' })
    expect(Number(raw?.['fileCount'])).toBeGreaterThan(0)
    expect(Number(raw?.['sizeBytes'])).toBeGreaterThan(0)
  })

  test('a snapshot that is not there, and a mode that is none, are named', async () => {
    const { context } = world()
    await keep()
    const args = { ...place, namespace: 'app', backupID: 'ffffffff' }

    await expect(runFunction(backupDataStats, context().ctx, args)).rejects.toMatchObject({ code: 'FUNCTION_NO_SNAPSHOT' })
    await expect(runFunction(backupDataStats, context().ctx, { ...args, statsMode: 'all' })).rejects.toThrow(
      /one of restore-size/,
    )
  })
})
