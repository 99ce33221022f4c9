import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { writeProof } from '../../../src/catalog/proof.ts'
import { recordKey } from '../../../src/catalog/record-key.ts'
import { backupCommands } from '../../../src/cli/commands/backup/define.ts'
import type { BackupDeps } from '../../../src/cli/commands/backup/deps.ts'
import { recoveryKeyOf, type RecoveryPlace } from '../../../src/recovery/place.ts'
import { initRepository } from '../../../src/repository/init-repository.ts'
import { withPrefix } from '../../../src/store/with-prefix.ts'
import { aBucket, aRecord, dump, pushed, putRecord, recoveryKey } from './a-bucket.ts'

let base = ''
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'holdfast-recovery-'))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

async function run(place: RecoveryPlace, ...words: string[]) {
  const ran = { out: '', err: '', exitCode: 0 }
  const deps: BackupDeps = {
    output: { out: (text) => void (ran.out += text), err: (text) => void (ran.err += text), live: false },
    clock: systemClock,
    signal: new AbortController().signal,
    version: '0.1.0',
    finish: (exitCode) => void (ran.exitCode = exitCode),
    suffix: () => 'xxxxx',
    open: () => Promise.resolve({ place, [Symbol.asyncDispose]: () => Promise.resolve() }),
    write: (bytes) => Promise.resolve(void (ran.out += Buffer.from(bytes).toString())),
    saveFile: async (file, bytes) => {
      const whole = Buffer.concat(await Array.fromAsync(bytes))
      await writeFile(file, whole)
      return whole.length
    },
  }
  await backupCommands(deps).parseAsync(words, { from: 'user' })
  return ran
}

type Bucket = Awaited<ReturnType<typeof aBucket>>

describe('holdfast backup', () => {
  test('lists what there is by application and time, and with a key what is in it', async () => {
    const { place } = await aBucket()

    const listed = JSON.parse((await run(place, 'list', '-o', 'json')).out) as unknown
    const table = await run(place, 'list')

    expect(listed).toMatchObject([
      {
        application: 'shop/statefulset/db',
        name: 'backup-1',
        sizeBytes: dump.length,
        blueprint: 'postgresql',
        engineVersion: '0.1.0',
      },
      { name: 'backup-2' },
    ])
    expect(table.out).toMatch(
      /shop\/statefulset\/db +2026-01-01T00:01:00Z +backup-1 +backup +48\.828 KiB +postgresql +0\.1\.0 +never +ok/,
    )
  })

  test('lists and shows when a backup was last restored for a test, and how that went', async () => {
    const { place, records } = await aBucket()
    const [record = aRecord(1)] = records
    const chain = { ...place, installation: 'installation-1', object: record.object, key: recoveryKeyOf(recoveryKey).catalog }
    const details = { verification: 'v1', uid: 'uid1', seconds: 40, steps: [{ name: 'restore', state: 'complete' }] }
    const proven = { recordId: record.id, at: systemClock.now() - 50 * 3_600_000, state: 'proven' as const, details }
    await writeProof(chain, proven)

    expect((await run(place, 'list')).out).toMatch(/backup-1 .* 2d ago +ok\n.*backup-2 .* never +ok/)
    expect((await run(place, 'show', 'backup-1')).out).toMatch(/Proven: +proven .*, 2d ago by Verification v1 \(restore\)/)
    expect((await run({ ...place, keys: [] }, 'list')).out).toMatch(/backup-1 .* 2d ago +sealed/)

    const failed = { ...proven, at: systemClock.now() - 3 * 3_600_000, state: 'failed' as const, message: 'found 11' }
    const link = await writeProof(chain, { ...failed, details: { ...details, uid: 'uid2' } })
    expect((await run(place, 'list')).out).toMatch(/backup-1 .* failed 3h ago +ok/)
    expect((await run(place, 'show', 'backup-1')).out).toMatch(/Proven: +failed .*: found 11; last proven 20/)
    const [listed] = JSON.parse((await run(place, 'list', '-o', 'json')).out) as { proof?: object }[]
    expect(listed?.proof).toMatchObject({ state: 'failed', verification: 'v1', lastProven: expect.any(String) })

    // A link that nobody signed says nothing.
    await place.location.put(link, Buffer.from('{}'))
    expect((await run(place, 'list')).out).toMatch(/backup-1 .* 2d ago +ok/)
  })

  test('lists headers without a key and says which records are sealed or broken, hiding no other', async () => {
    const { place, location } = await aBucket()
    await location.put('holdfast/records/shop/statefulset-db/20260101T000300Z-u3-0.json', Buffer.from('{"half": '))

    const { out, err } = await run({ ...place, keys: [] }, 'list')

    expect(out).toMatch(/backup-1 .* sealed/)
    expect(out).toMatch(/u3-0 .* unreadable/)
    expect(err).toContain('2 of 3 records are sealed')
    expect(err).toContain('it is not JSON')
  })

  test('shows Secrets of a record by their names and keys, and prints their contents nowhere', async () => {
    const { place, location } = await aBucket()
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pw' }, data: { p: 'c2VjcmV0LXZhbHVl' } }
    await putRecord(location, aRecord(7, { secrets: [secret] }))

    const shown = await run(place, 'show', 'backup-7')
    const json = await run(place, 'show', 'backup-7', '-o', 'json')
    const manifests = await run(place, 'show', 'backup-7', '--manifests')

    expect(shown.out).toContain('Secrets:   Secret pw')
    expect(JSON.parse(json.out)).toMatchObject({ secrets: [{ metadata: { name: 'pw' }, keys: ['p'] }] })
    for (const { out, err } of [shown, json, manifests, await run(place, 'list', '-o', 'json')])
      expect(out + err).not.toContain(secret.data.p)
  })

  test('manifests of a record that no key opens are an error, not an empty list', async () => {
    const { place } = await aBucket()

    await expect(run({ ...place, keys: [] }, 'show', 'backup-1', '--manifests')).rejects.toMatchObject({
      code: 'RECOVERY_LOCKED',
    })
  })

  test('shows one by name, by the beginning of its id, or as the newest of an object', async () => {
    const { place } = await aBucket()

    expect((await run(place, 'show', 'backup-1')).out).toContain('Size:      48.828 KiB')
    expect((await run(place, 'show', 'u1aaaa')).out).toContain('Backup:    backup-1')
    expect((await run(place, 'show', 'shop/StatefulSet/db')).out).toContain('Backup:    backup-2')
    await expect(run(place, 'show', 'nothing')).rejects.toThrow('no backup at')
  })

  test('downloads a stream and an object that kando pushed, found from the record alone', async () => {
    const { place } = await aBucket()

    await run(place, 'download', 'backup-1', '--to', join(base, 'a.dump'))
    const object = await run(place, 'download', 'backup-2', '--to', '-')

    expect(readFileSync(join(base, 'a.dump')).equals(dump)).toBe(true)
    expect(object.out).toBe(pushed.toString())
  })

  test('downloads an object that the artifact names as s3://bucket/path', async () => {
    const { place, location } = await aBucket()
    const artifacts = { dump: { keyValue: { url: 's3://b/team/mysql/today.sql' } } }
    await putRecord(location, aRecord(7, { artifacts }))

    expect((await run(place, 'download', 'backup-7', '--to', '-')).out).toBe(pushed.toString())
  })

  test('says which parts there are when there are several, and takes the one that is chosen', async () => {
    const { place, records, location } = await aBucket()
    const both = aRecord(5, { artifacts: { ...records[0]?.artifacts, ...records[1]?.artifacts } })
    await putRecord(location, both)

    await expect(run(place, 'download', 'backup-5', '--to', '-')).rejects.toThrow(
      /choose with --artifact or --phase among dump.*mysql/,
    )
    expect((await run(place, 'download', 'backup-5', '--artifact', 'mysql', '--to', '-')).out).toBe(pushed.toString())
  })

  test('downloads the files of a container into a folder, those of one pod among several too', async () => {
    const { place, root, location } = await aBucket()
    writeFileSync(join(base, 'row'), 'a row')
    const keep = async (key: string): Promise<string> => {
      const repository = await initRepository(withPrefix(root, key), { keys: [{ workingPassword: 'w' }, { recoveryKey }] })
      return (await repository.backupFolder({ paths: [join(base, 'row')] })).snapshotId.slice(0, 8)
    }
    const one = await keep('files/shop')
    await putRecord(
      location,
      aRecord(5, {
        phases: [{ name: 'copy', func: 'BackupData', output: { backupID: one } }],
        artifacts: { files: { keyValue: { prefix: 'files/shop', id: one } } },
      }),
    )
    const pods = Object.fromEntries(
      await Promise.all(
        ['db-0', 'db-1'].map(
          async (pod) => [pod, { PodName: pod, BackupID: await keep(`all/shop/${pod}`), BackupTag: 't' }] as const,
        ),
      ),
    )
    await putRecord(
      location,
      aRecord(6, {
        phases: [{ name: 'copy', func: 'BackupDataAll', output: { BackupAllInfo: JSON.stringify(pods) } }],
        artifacts: { files: { keyValue: { prefix: 'all/shop', info: JSON.stringify(pods) } } },
      }),
    )

    await run(place, 'download', 'backup-5', '--to', join(base, 'out'))
    const parts = await run(place, 'download', 'backup-6', '--list')
    await run(place, 'download', 'backup-6', '--artifact', 'pod db-1', '--to', join(base, 'out-1'))
    const verified = await run(place, 'verify', '--all')

    expect(readFileSync(join(base, 'out', base, 'row'), 'utf8')).toBe('a row')
    expect(parts.out).toMatch(/^pod db-0 .*\npod db-1 .*\n$/)
    expect(readFileSync(join(base, 'out-1', base, 'row'), 'utf8')).toBe('a row')
    expect(verified.out).toContain('4 of 4 backups sound, 4 repositories')
  }, 120_000)

  test('needs the right key for a download and names the one that is missing', async () => {
    const { place } = await aBucket()

    await expect(run({ ...place, keys: [] }, 'download', 'backup-1', '--to', '-')).rejects.toThrow(
      /opens by the recovery key with the fingerprint [0-9a-f]{8}; give that key/,
    )
  })
})

describe('holdfast backup verify', () => {
  test('finds nothing wrong with a bucket that is sound, to the last byte', async () => {
    const { place } = await aBucket()

    const ran = await run(place, 'verify', '--all', '--read-data')

    expect(ran.out).toMatch(/^2 of 2 backups sound, 1 repositories, .* read: no damage found\n$/)
    expect(ran.exitCode).toBe(0)
  })

  const keyOf = (bucket: Bucket, index: number): string => recordKey(bucket.records[index] as (typeof bucket.records)[number])
  const firstOf = async (bucket: Bucket, prefix: string): Promise<string> => {
    for await (const { key } of bucket.root.list(prefix)) return key
    throw new Error(`nothing below ${prefix}`)
  }
  const cut = async (bucket: Bucket, key: string): Promise<void> => {
    const bytes = await bucket.root.get(key)
    await bucket.root.put(key, bytes.subarray(0, bytes.length - 10))
  }

  test.each<[string, (bucket: Bucket) => Promise<unknown>, RegExp, string[]]>([
    [
      'a record was removed',
      async (b) => b.location.delete(keyOf(b, 0)),
      /DAMAGE .*record of backup u1aaaaaa-0 .* is gone/,
      [],
    ],
    ['a record was truncated', async (b) => cut(b, `team/${keyOf(b, 0)}`), /DAMAGE .*it is not JSON/, []],
    [
      'two records were swapped',
      async (b) => b.location.put(keyOf(b, 0), await b.location.get(keyOf(b, 1))),
      /DAMAGE .*is the record of another backup/,
      [],
    ],
    [
      'a record was rolled back to an older text',
      async (b) => {
        const { renderRecord } = await import('../../../src/catalog/record.ts')
        const catalog = b.place.keys[0]?.catalog
        if (catalog) await b.location.put(keyOf(b, 0), Buffer.from(renderRecord(aRecord(1), catalog)))
      },
      /DAMAGE .*is not the one that was written/,
      [],
    ],
    [
      'a link was removed',
      async (b) => b.location.delete('holdfast/chain/installation-1/shop/statefulset-db/0000000001.json'),
      /DAMAGE .*the chain lacks link 1/,
      [],
    ],
    [
      'an object was removed',
      async (b) => b.root.delete('team/mysql/today.sql'),
      /DAMAGE {2}backup-2: artifact mysql: nothing/,
      [],
    ],
    ['an object was truncated', async (b) => cut(b, 'team/mysql/today.sql'), /DAMAGE {2}backup-2: .*truncated or replaced/, []],
    [
      'an object was exchanged for one of its length',
      async (b) =>
        b.root.put(
          'team/mysql/today.sql',
          pushed.map((byte) => byte ^ 1),
        ),
      /DAMAGE {2}backup-2: .*SHA-256/,
      ['--read-data'],
    ],
    [
      'a snapshot was removed',
      async (b) => b.root.delete(`team/holdfast/shop/snapshots/${b.snapshot}`),
      /DAMAGE {2}backup-1: snapshot .*has no such snapshot/,
      [],
    ],
    [
      'a pack was removed',
      async (b) => b.root.delete(await firstOf(b, 'team/holdfast/shop/data/')),
      /DAMAGE {2}repository team\/holdfast\/shop/,
      [],
    ],
    ['a pack was truncated', async (b) => cut(b, await firstOf(b, 'team/holdfast/shop/data/')), /DAMAGE/, []],
    [
      'a repository is gone',
      async (b) => b.root.delete('team/holdfast/shop/config'),
      /DAMAGE {2}backup-1: .*there is no repository/,
      [],
    ],
  ])('names it when %s', async (_what, damage, message, flags) => {
    const bucket = await aBucket()
    await damage(bucket)

    const ran = await run(bucket.place, 'verify', '--all', ...flags)

    expect(ran.out).toMatch(message)
    expect(ran.exitCode).toBe(3)
  })

  test('values of an artifact that only look like paths, and snapshots that are in no bucket, are no damage', async () => {
    const { place, location, records } = await aBucket()
    const { keyValue } = records[0]?.artifacts['dump'] ?? {}
    const artifacts = { dump: { keyValue: { ...keyValue, pgdata: '/var/lib/data', page: 'https://example.com/x', empty: '' } } }
    await putRecord(location, aRecord(5, { artifacts }))
    const snapshot = { volume: { keyValue: { snapshot: 'shop/vs-1' } } }
    await putRecord(location, aRecord(6, { artifacts: snapshot, phases: [{ name: 'snap', func: 'CreateCSISnapshot' }] }))

    const ran = await run(place, 'verify', '--all')

    expect(ran.out).not.toContain('DAMAGE')
    expect(ran.out).toContain('warning  backup-6: its record names no data')
  })

  test('a record that has no link yet is a warning, as it is in the first seconds', async () => {
    const { place, location } = await aBucket()
    const late = aRecord(9)
    const { renderRecord } = await import('../../../src/catalog/record.ts')
    const catalog = place.keys[0]?.catalog
    if (catalog) await location.put(recordKey(late), Buffer.from(renderRecord(late, catalog)))

    const ran = await run(place, 'verify', '--all')

    expect(ran.out).toMatch(/warning .*no link of the chain speaks of it/)
    expect(ran.exitCode).toBe(0)
  })
})
