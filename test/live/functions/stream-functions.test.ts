import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { backupStream } from '../../../src/functions/backup-stream.ts'
import { deleteStream } from '../../../src/functions/delete-stream.ts'
import { restoreStream } from '../../../src/functions/restore-stream.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { runFunction } from '../../build/function-context.ts'
import { apply, shellIn } from '../../harness/world/objects.ts'
import { useDataWorld } from './data-world.ts'

const data = useDataWorld()
const { world, namespace, context } = data
const app = { namespace, pod: 'app' }

beforeAll(async () => {
  const containers = [{ name: 'main', image: data.images().gnu, command: ['sleep', '100000'] }]
  await apply(world(), namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app' },
    spec: { terminationGracePeriodSeconds: 0, containers },
  })
  await data.kube().pods.waitReady({ namespace, name: 'app' }, { timeoutMs: 60_000 })
})

async function snapshots(): Promise<number> {
  await using repository = await data
    .repositories()
    .openForNamespace({ profile: data.profile(), namespace, create: true, signal: new AbortController().signal })
  return (await repository.snapshots()).length
}

describe('BackupStream and RestoreStream', () => {
  test('bring a stream there and back, with its length and hash', async () => {
    const command = ['bash', '-c', 'head -c 30000000 /dev/zero | tr "\\0" x; seq 1 300000']
    const plain = `${'x'.repeat(30_000_000)}${Array.from({ length: 300_000 }, (_, i) => `${i + 1}\n`).join('')}`

    const kept = await runFunction(backupStream, context().ctx, { ...app, command, name: 'db.dump' })
    const given = { snapshotID: kept?.['snapshotID'], repository: kept?.['repository'], sha256: kept?.['sha256'] }
    const restored = await runFunction(restoreStream, context().ctx, {
      ...app,
      ...given,
      command: ['sh', '-c', 'cat > /tmp/back; echo done'],
    })

    const sha256 = createHash('sha256').update(plain).digest('hex')
    expect(kept).toMatchObject({ repository: `holdfast/${namespace}`, path: '/db.dump', size: String(plain.length), sha256 })
    expect(Number(kept?.['addedBytes'])).toBeLessThan(1_000_000)
    expect(restored).toMatchObject({ size: String(plain.length), sha256 })
    expect(await shellIn(world(), namespace, 'app', 'sha256sum < /tmp/back')).toContain(sha256)
  })

  test('what the command reports on stderr becomes outputs, also when the engine dies before they are noted as such', async () => {
    const marker = `###Phase-output###: {"key":"rows","value":"12"}`
    const command = ['sh', '-c', `echo data; echo '${marker}' >&2; echo 'a word to the log' >&2`]
    const first = context()
    const kept = await runFunction(backupStream, first.ctx, { ...app, command })
    const resumed = context({ resumed: first.checkpoints.at(-1) })
    const again = await runFunction(backupStream, resumed.ctx, { ...app, command: ['false'] })

    expect(kept).toMatchObject({ rows: '12', size: '5' })
    expect(again).toMatchObject({ rows: '12', snapshotID: kept?.['snapshotID'] })
  })

  test('a second backup of the same adds almost nothing', async () => {
    const command = ['seq', '1', '500000']
    await runFunction(backupStream, context().ctx, { ...app, command })

    const second = await runFunction(backupStream, context().ctx, { ...app, command })

    expect(Number(second?.['addedBytes'])).toBeLessThan(5_000)
  })

  test.each([
    ['a command that fails', ['sh', '-c', 'echo partial; echo because >&2; exit 3'], /exit code 3[^]*because/],
    ['an empty stream', ['true'], /printed 0 bytes/],
    ['a command that is killed', ['sh', '-c', 'echo partial; kill -9 $$'], /exit code 137/],
  ])('%s is a failure and leaves no snapshot', async (_name, command, message) => {
    const before = await snapshots()

    await expect(runFunction(backupStream, context().ctx, { ...app, command })).rejects.toThrow(message)

    expect(await snapshots()).toBe(before)
  })

  test('minBytes and allowEmpty set the limit', async () => {
    const short = runFunction(backupStream, context().ctx, { ...app, command: ['echo', 'x'], minBytes: '10' })
    await expect(short).rejects.toThrow(/printed 2 bytes, and at least 10/)
    const empty = await runFunction(backupStream, context().ctx, { ...app, command: 'true', allowEmpty: true })

    expect(empty?.['size']).toBe('0')
  })

  test('a resumed backup whose snapshot was finished does nothing twice', async () => {
    const first = context()
    const command = ['sh', '-c', 'echo run >> /tmp/runs; cat /tmp/runs']
    const kept = await runFunction(backupStream, first.ctx, { ...app, command })

    const again = await runFunction(backupStream, context({ resumed: first.checkpoints.at(-1) }).ctx, { ...app, command })

    expect(again).toEqual({ ...kept, addedBytes: expect.any(String) as string })
    expect(await shellIn(world(), namespace, 'app', 'wc -l < /tmp/runs')).toBe('1\n')
  })

  test('a stream with another hash than wanted never reaches a clean end', async () => {
    const kept = await runFunction(backupStream, context().ctx, { ...app, command: ['seq', '1', '1000'] })
    const command = ['sh', '-c', 'rm -f /tmp/ended; cat > /tmp/partial && echo ended > /tmp/ended']

    const failure = runFunction(restoreStream, context().ctx, {
      ...app,
      snapshotID: kept?.['snapshotID'],
      sha256: 'ab'.repeat(32),
      command,
    })

    await expect(failure).rejects.toThrow(/SHA-256/)
    expect(await shellIn(world(), namespace, 'app', 'ls /tmp/ended 2>/dev/null || echo none')).toBe('none\n')
  })

  test('a restoring command that fails, or does not read all, is a failure', async () => {
    const kept = await runFunction(backupStream, context().ctx, {
      ...app,
      command: ['sh', '-c', 'head -c 20000000 /dev/urandom'],
    })
    const restore = (command: string[]): Promise<unknown> =>
      runFunction(restoreStream, context().ctx, { ...app, snapshotID: kept?.['snapshotID'], command })

    await expect(restore(['sh', '-c', 'cat >/dev/null; echo no >&2; exit 5'])).rejects.toThrow(/exit code 5[^]*no/)
    await expect(restore(['true'])).rejects.toThrow(/had read its input|not read/)
  })

  test('an interrupted restore is refused unless the command may run twice', async () => {
    const kept = await runFunction(backupStream, context().ctx, { ...app, command: ['echo', 'x'] })
    const args = { ...app, snapshotID: kept?.['snapshotID'], command: ['cat'] }
    const resumed = { restoring: kept?.['snapshotID'] }

    await expect(runFunction(restoreStream, context({ resumed }).ctx, args)).rejects.toMatchObject({
      code: 'FUNCTION_INTERRUPTED',
    })
    expect(await runFunction(restoreStream, context({ resumed }).ctx, { ...args, repeatable: true })).toMatchObject({
      size: '2',
    })
  })

  test('a deleted snapshot is gone; deleting it again is no failure; restoring it says so', async () => {
    const kept = await runFunction(backupStream, context().ctx, { ...app, command: ['echo', 'to go'] })
    const args = { repository: kept?.['repository'], snapshotID: kept?.['snapshotID'] }

    const first = await runFunction(deleteStream, context().ctx, args)
    const second = await runFunction(deleteStream, context().ctx, args)

    expect([first, second]).toMatchObject([
      { deleted: '1', spaceFreed: '0 B' },
      { deleted: '0', spaceFreed: '0 B' },
    ])
    await expect(runFunction(restoreStream, context().ctx, { ...app, ...args, command: ['cat'] })).rejects.toThrow(
      /Snapshot not found/,
    )
  })

  test('reclaimSpace gives the bytes back, also after an attempt of it was ended', async () => {
    const given = { repository: 'to-prune', encryptionKey: 'of the user' }
    const noise = ['sh', '-c', 'head -c 3000000 /dev/urandom']
    const kept = await runFunction(backupStream, context().ctx, { ...app, ...given, command: noise, name: 'a' })
    const stays = await runFunction(backupStream, context().ctx, { ...app, ...given, command: noise, name: 'b' })
    const dying = new AbortController()
    const died = context({ signal: dying.signal, onCheckpoint: () => dying.abort(new Error('died')) })
    const args = { ...given, snapshotID: kept?.['snapshotID'], reclaimSpace: 'true' }

    await expect(runFunction(deleteStream, died.ctx, args)).rejects.toThrow('died')
    const outputs = await runFunction(deleteStream, context({ resumed: died.checkpoints.at(-1) }).ctx, args)

    expect(outputs).toEqual({ deleted: '0', spaceFreed: expect.stringMatching(/^2\.\d+ MiB$/) as string })
    const restored = await runFunction(restoreStream, context().ctx, {
      ...app,
      ...given,
      snapshotID: stays?.['snapshotID'],
      sha256: stays?.['sha256'],
      command: ['sh', '-c', 'cat >/dev/null'],
    })
    expect(restored).toMatchObject({ size: '3000000' })
  })

  test('keys: one Secret per repository, the recovery key beside; a given key is the only one that opens', async () => {
    const key = { repository: 'own-key', encryptionKey: 'secret of the user' }
    const kept = await runFunction(backupStream, context().ctx, { ...app, command: ['echo', 'x'], ...key })
    const restore = (more: object): Promise<unknown> =>
      runFunction(restoreStream, context().ctx, {
        ...app,
        command: ['cat'],
        snapshotID: kept?.['snapshotID'],
        repository: 'own-key',
        ...more,
      })

    const secrets = (await data.kube().resource(kinds.secrets).list({ namespace })).items.map(({ metadata }) => metadata.name)

    expect(secrets.filter((name) => name.startsWith('holdfast-repo-'))).toHaveLength(1)
    expect(secrets).toContain('holdfast-recovery-key')
    await expect(restore({ encryptionKey: 'another' })).rejects.toMatchObject({ code: 'FUNCTION_NO_KEY' })
    expect(await restore({})).toMatchObject({ size: '2' })
    expect(await restore(key)).toMatchObject({ size: '2' })
  })

  test('two first backups at once make one repository', async () => {
    const args = { ...app, command: ['echo', 'x'], repository: 'at-once' }

    const both = await Promise.all([
      runFunction(backupStream, context().ctx, args),
      runFunction(backupStream, context().ctx, args),
    ])

    expect(new Set(both.map((outputs) => outputs?.['snapshotID'])).size).toBe(2)
    for (const outputs of both) {
      const restored = runFunction(restoreStream, context().ctx, {
        ...args,
        command: ['cat'],
        snapshotID: outputs?.['snapshotID'],
      })
      expect(await restored).toMatchObject({ size: '2' })
    }
  })

  test('a repository that is not there, and a bucket that is not, are named', async () => {
    const args = { ...app, command: ['cat'], snapshotID: 'ab', repository: 'nothing-here' }
    const profile = data.profile()
    const noBucket = { ...profile, location: { ...profile.location, bucket: 'no-such-bucket' } }

    await expect(runFunction(restoreStream, context().ctx, args)).rejects.toThrow(/no repository[^]*nothing-here/)
    await expect(
      runFunction(backupStream, context({ profile: noBucket }).ctx, { ...app, command: ['echo', 'x'] }),
    ).rejects.toMatchObject({ code: 'STORE_NO_BUCKET' })
  })
})
