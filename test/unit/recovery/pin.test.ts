import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { readChain } from '../../../src/catalog/chain-store.ts'
import { stateOf } from '../../../src/catalog/chain.ts'
import { backupCommands } from '../../../src/cli/commands/backup/define.ts'
import type { BackupDeps } from '../../../src/cli/commands/backup/deps.ts'
import { recoveryKeyOf, type RecoveryPlace } from '../../../src/recovery/place.ts'
import { createRecoveryKey } from '../../../src/repository/keys/recovery-key.ts'
import { aBucket, aRecord } from './a-bucket.ts'

async function run(place: RecoveryPlace, ...words: string[]): Promise<string> {
  let out = ''
  const deps = {
    output: { out: (text) => void (out += text), err: () => undefined, live: false },
    clock: systemClock,
    signal: new AbortController().signal,
    open: () => Promise.resolve({ place, [Symbol.asyncDispose]: () => Promise.resolve() }),
  } as Partial<BackupDeps> as BackupDeps
  await backupCommands(deps).parseAsync(words, { from: 'user' })
  return out
}

async function pinned(place: RecoveryPlace): Promise<(string | undefined)[]> {
  const [key, ...older] = place.keys.map(({ catalog }) => catalog)
  if (!key) throw new Error('no key')
  const { object, installation } = aRecord(1)
  const links = await readChain({
    location: place.location,
    installation: installation.id,
    object,
    key: { ...key, previous: older },
  })
  return [...stateOf(links).backups.values()].map((state) => state.pinned)
}

test('a backup is pinned with a reason and unpinned again; the chain keeps both', async () => {
  const { place } = await aBucket()

  expect(await run(place, 'pin', 'backup-1', '--reason', 'audit of 2026')).toContain('stays: audit of 2026')
  expect(await pinned(place)).toEqual(['audit of 2026', undefined])
  expect(JSON.parse(await run(place, 'pin', 'u1aaaa', '--reason', 'audit of 2026', '-o', 'json'))).toMatchObject({
    changed: false,
  })

  await run(place, 'unpin', 'backup-1', '--reason', 'audit is over')
  expect(await pinned(place)).toEqual([undefined, undefined])
  await run(place, 'pin', 'backup-1', '--reason', 'audit of 2026')
  expect(await pinned(place)).toEqual(['audit of 2026', undefined])
})

test('a chain that an older key signed goes on with the key that took its place', async () => {
  const { place } = await aBucket()
  const newer = { ...place, keys: [recoveryKeyOf(createRecoveryKey()), ...place.keys] }

  await run(newer, 'pin', 'backup-1', '--reason', 'audit')

  expect(await pinned(newer)).toEqual(['audit', undefined])
})

test('without a reason, or without the key, nothing is pinned', async () => {
  const { place } = await aBucket()
  await expect(run({ ...place, keys: [] }, 'pin', 'backup-1', '--reason', 'x')).rejects.toThrow(/opens by the recovery key/)
  expect(await pinned(place)).toEqual([undefined, undefined])
})
