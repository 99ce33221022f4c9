import { randomUUID } from 'node:crypto'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { backupData } from '../../../src/functions/backup-data.ts'
import { deleteData } from '../../../src/functions/delete-data.ts'
import { restoreData } from '../../../src/functions/restore-data.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { runFunction } from '../../build/function-context.ts'
import { listKeys } from '../../harness/world/bucket.ts'
import { withS3 } from '../../harness/world/fixtures.ts'
import { apply, type KubeObject, shellIn } from '../../harness/world/objects.ts'
import { useDataWorld } from './data-world.ts'

const data = useDataWorld()
const { world, namespace, context } = data

/** Builds a tree of everything that is hard to carry, with the words of BusyBox. */
const uglyTree = `
set -e
mkdir -p /data/tree/empty /data/tree/locked "/data/tree/with space"
cd /data/tree
printf hello > plain; : > none
printf odd > "$(printf 'new\\nline')"; printf odd > "$(printf 'not\\377utf8')"; printf odd > 'grüße "q" \\ * $x'; printf dash > ./-rf
long=$(printf '%0200d' 7); printf long > $long
mkdir -p $long-a/$long-b/$long-c; printf deep > $long-a/$long-b/$long-c/file
dd if=/dev/urandom of=random bs=1000000 count=9 2>/dev/null
truncate -s 50000000 sparse; printf end >> sparse
ln plain second; mkdir -p links; ln plain links/third
ln -s plain relative; ln -s /no/such/place dangling; ln -s $long-a/$long-b/$long-c/file far
mkfifo pipe
printf x > setuid; printf x > secret
chown -R 999:998 "with space" random; chown 123456:654321 plain; chown -h 5:6 relative
chmod 4755 setuid; chmod 000 secret; chmod 1777 empty; chmod 2750 links; chmod 555 locked
touch -d '2001-02-03 04:05:06' plain; touch -d '1999-12-31 23:59:59' empty; touch -d '2030-01-01 00:00:00' "with space"
`

/** Ids of the locks that a checkpoint of a restore names. */
function locksIn(state: unknown): readonly string[] {
  const { parts } = (state ?? {}) as { parts?: { locks?: { restoreLocks?: readonly string[] } } }
  return parts?.locks?.restoreLocks ?? []
}

/** Every fact of a tree, one line each. */
function listing(folder: string, time: string): string {
  return `cd ${folder} && export LC_ALL=C && {
find . ! -type d -exec stat -c '%n|%f|%u|%g|${time}|%s|%h' {} +
find . -type d -exec stat -c '%n|%f|%u|%g|${time}' {} +
find . -type f -exec sha256sum {} +
find . -type l -exec readlink {} +
} | sort`
}

const claim = (name: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
})

const appPod = (name: string, image: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [
      {
        name: 'main',
        image,
        command: ['sleep', '100000'],
        volumeMounts: [
          { name: 'data', mountPath: '/data' },
          { name: 'target', mountPath: '/target' },
        ],
      },
    ],
    volumes: ['data', 'target'].map((volume) => ({ name: volume, persistentVolumeClaim: { claimName: `${name}-${volume}` } })),
  },
})

describe.each(['gnu', 'busybox'] as const)('BackupData and RestoreData with the tar of %s', (kind) => {
  const place = { namespace, pod: kind, container: 'main' }
  const prefix = `app/${kind}`
  const time = kind === 'gnu' ? '%y' : '%Y'

  beforeAll(async () => {
    const image = data.images()[kind]
    await apply(world(), namespace, claim(`${kind}-data`), claim(`${kind}-target`), appPod(kind, image))
    await data.kube().pods.waitReady({ namespace, name: kind }, { timeoutMs: 120_000 })
    await shellIn(world(), namespace, kind, uglyTree)
    if (kind === 'gnu')
      await shellIn(world(), namespace, kind, "touch -d '2001-02-03 04:05:06.123456789' /data/tree/none /data/tree/empty")
  })

  const sh = (script: string): Promise<string> => shellIn(world(), namespace, kind, script)
  /** BusyBox says what it does not restore: owner and time of links, time of the directory that holds them. */
  const carried = (text: string): string =>
    kind === 'gnu' ? text : text.replaceAll(/\|a1ff\|.*$/gm, '|link').replaceAll(/^\.\|41ed\|.*$/gm, '.')

  test('an ugly tree comes back as it was, at its own path in another volume', async () => {
    const before = await sh(listing('/data/tree', time))
    const kept = context()
    const given = context()

    const outputs = await runFunction(backupData, kept.ctx, {
      ...place,
      includePath: '/data/tree',
      backupArtifactPrefix: prefix,
    })
    const restored = await runFunction(restoreData, given.ctx, {
      namespace,
      image: data.images()[kind],
      backupArtifactPrefix: `${data.bucket}/${prefix}`,
      backupTag: outputs?.['backupTag'],
      volumes: { [`${kind}-target`]: '/data' },
    })

    expect(restored).toBeUndefined()
    expect(outputs).toMatchObject({ backupID: expect.stringMatching(/^[0-9a-f]{8}$/) as string, version: 'v0.0.0' })
    expect(outputs?.['size']).toMatch(/^5\d\.\d{3} MiB$/)
    expect(outputs?.['phySize']).toMatch(/^(8|9)\.\d{3} MiB$/)
    expect(carried(await sh(listing('/target/tree', time)))).toBe(carried(before))
    const warned = kept.warnings.filter((warning) => !warning.startsWith('the recovery key'))
    expect(warned.join('\n')).toMatch(kind === 'gnu' ? /^$/ : /fractions of seconds/)
    expect(given.warnings.join('\n')).toMatch(kind === 'gnu' ? /^$/ : /symbolic links lose their owner and time/)
    const pods = (await data.kube().resource(kinds.pods).list({ namespace })).items.map(({ metadata }) => metadata.name)
    expect(pods.filter((name) => name.startsWith('restore-data'))).toEqual([])
  })

  test('the lock of a restore stands in the Run, and who takes it over removes it', async () => {
    const outputs = await runFunction(backupData, context().ctx, {
      ...place,
      includePath: '/data/tree',
      backupArtifactPrefix: prefix,
    })
    const args = {
      namespace,
      image: data.images()[kind],
      backupArtifactPrefix: `${data.bucket}/${prefix}`,
      backupTag: outputs?.['backupTag'],
      volumes: { [`${kind}-target`]: '/data' },
    }
    const run = { actionSetUid: randomUUID() }
    const first = context({ run })
    await runFunction(restoreData, first.ctx, args)
    const noted = first.checkpoints.find((state) => locksIn(state).length > 0)
    const [lock = ''] = locksIn(noted)
    const key = `${prefix}/locks/${lock}`
    // What a dead process leaves: its lock, of which nobody but the Run knows whose it was.
    await withS3(world().s3, (client) => client.send(new PutObjectCommand({ Bucket: data.bucket, Key: key, Body: 'left' })))

    await runFunction(restoreData, context({ run, resumed: noted }).ctx, args)

    expect(lock).toMatch(/^[0-9a-f]{64}$/)
    const keys = await withS3(world().s3, (client) => listKeys(client, data.bucket))
    expect(keys.filter((each) => each.includes('/locks/'))).toEqual([])
    const pods = (await data.kube().resource(kinds.pods).list({ namespace })).items.map(({ metadata }) => metadata.name)
    expect(pods.filter((name) => name.startsWith('restore-data'))).toEqual([])
  })

  test('a part of it goes directly into another folder, over what is there', async () => {
    const outputs = await runFunction(backupData, context().ctx, {
      ...place,
      includePath: '/data/tree',
      backupArtifactPrefix: prefix,
    })
    await sh('rm -rf /target/part; mkdir -p /target/part; echo old > /target/part/third; echo mine > /target/part/extra')

    const workload = { Name: 'db', Namespace: namespace, PersistentVolumeClaims: { 'db-0': { [`${kind}-target`]: '/target' } } }
    await runFunction(restoreData, context({ params: { StatefulSet: workload } }).ctx, {
      namespace,
      image: data.images()[kind],
      backupArtifactPrefix: prefix,
      backupIdentifier: outputs?.['backupID'],
      pod: 'db-0',
      restorePath: '/target/part',
      backupPath: '/data/tree/links',
    })

    expect(await sh('cat /target/part/third /target/part/extra; stat -c %a /target/part')).toBe('hellomine\n2750\n')
  })

  test('one file, and what a link points at, can be kept too', async () => {
    await sh('ln -sfn /data/tree /data/link; chmod 700 /data; chown 55 /data')
    const one = await runFunction(backupData, context().ctx, {
      ...place,
      includePath: '/data/tree/plain',
      backupArtifactPrefix: 'one',
    })
    const link = await runFunction(backupData, context().ctx, {
      ...place,
      includePath: '/data/link/',
      backupArtifactPrefix: 'one',
    })
    await sh('rm -rf /target/*; chmod 711 /target; chown 66 /target')

    for (const backupTag of [one?.['backupTag'], link?.['backupTag']]) {
      const args = {
        namespace,
        image: data.images()[kind],
        backupArtifactPrefix: 'one',
        volumes: { [`${kind}-target`]: '/data' },
      }
      await runFunction(restoreData, context().ctx, { ...args, backupTag })
    }

    expect(one?.['fileCount']).toBe('1')
    expect(await sh('cat /target/tree/plain /target/link/plain; stat -c "%a %u" /target')).toBe('hellohello711 66\n')
  })

  test('a path that is not there is named, and nothing is kept', async () => {
    const recorded = context()

    const failure = runFunction(backupData, recorded.ctx, { ...place, includePath: '/no/such', backupArtifactPrefix: prefix })

    await expect(failure).rejects.toThrow(/includePath: "\/no\/such" does not exist/)
    expect(recorded.checkpoints).toEqual([])
  })

  test('a resumed backup that was finished gives the same outputs', async () => {
    const first = context()
    const args = { ...place, includePath: '/data/tree/plain', backupArtifactPrefix: prefix }
    const outputs = await runFunction(backupData, first.ctx, args)

    const again = await runFunction(backupData, context({ resumed: first.checkpoints.at(-1) }).ctx, args)

    expect(again).toEqual(outputs)
  })

  test('what was deleted is gone, and deleting it again is no failure', async () => {
    const outputs = await runFunction(backupData, context().ctx, {
      ...place,
      includePath: '/data/tree/plain',
      backupArtifactPrefix: prefix,
    })
    const args = { namespace, backupArtifactPrefix: prefix, backupID: outputs?.['backupID'], reclaimSpace: 'true' }

    const first = await runFunction(deleteData, context().ctx, args)
    const second = await runFunction(deleteData, context().ctx, args)

    expect(first?.['spaceFreed']).toMatch(/^[1-9][0-9.]* (Ki)?B$/)
    expect(second).toEqual({ spaceFreed: '0 B' })
    const restore = { namespace, image: 'x', backupArtifactPrefix: prefix, volumes: { [`${kind}-target`]: '/data' } }
    await expect(
      runFunction(restoreData, context().ctx, { ...restore, backupIdentifier: outputs?.['backupID'] }),
    ).rejects.toThrow(/Snapshot not found/)
  })

  if (kind === 'gnu') {
    test('a file that changes while it is read is a warning', async () => {
      await sh('mkdir -p /data/alive; head -c 40000000 /dev/zero > /data/alive/log')
      await sh('( while [ ! -e /data/quiet ]; do echo x >> /data/alive/log; sleep 0.02; done ) >/dev/null 2>&1 &')
      const recorded = context()

      const outputs = await runFunction(backupData, recorded.ctx, {
        ...place,
        includePath: '/data/alive',
        backupArtifactPrefix: 'alive',
      })
      await sh('touch /data/quiet')

      expect(outputs?.['fileCount']).toBe('1')
      expect(recorded.warnings.join()).toMatch(/file changed as we read it/)
    })
  }
})

test('arguments that contradict each other are named', async () => {
  const base = { namespace, image: 'x', backupArtifactPrefix: 'p' }

  await expect(runFunction(restoreData, context().ctx, { ...base, pod: 'a' })).rejects.toThrow(
    'Require one argument: backupTag or backupIdentifier',
  )
  await expect(
    runFunction(restoreData, context().ctx, { ...base, backupTag: 'a', pod: 'a', volumes: { b: '/c' } }),
  ).rejects.toThrow('Require one argument: pod or volumes')
  await expect(
    runFunction(deleteData, context().ctx, { namespace, backupArtifactPrefix: 'p', backupID: 'a b' }),
  ).rejects.toThrow('2 snapshots are named, but 1 prefixes')
})
