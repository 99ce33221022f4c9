import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { Verification } from '../../src/api/verification.ts'
import { readChain } from '../../src/catalog/chain-store.ts'
import { lastProof } from '../../src/catalog/proof.ts'
import { openKube } from '../../src/kube/open.ts'
import { catalogOpener } from '../../src/main/open-catalog.ts'
import { StorePool } from '../../src/store/store-pool.ts'
import { type CommandResult, runFully } from '../harness/machine/command.ts'
import { listKeys } from '../harness/world/bucket.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { apply, type KubeObject, waitRolledOut } from '../harness/world/objects.ts'
import { fillOrders, ordersDigest, postgresObjects } from '../harness/world/postgres.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const root = resolve(import.meta.dirname, '../..')
const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const profile = `proof-${bucket.slice(-8)}`
const rights = join(root, 'deploy/verification.yaml')
const db = { kind: 'statefulset', name: 'db', namespace: app }
let [good, wrong, digest] = ['', '', '']

type Phase = Record<string, unknown>
interface PlainBlueprint {
  readonly metadata: Record<string, unknown>
  readonly actions: Readonly<Record<string, { readonly outputArtifacts?: object; readonly phases: readonly Phase[] }>>
}

/** What is in the table of orders, as output of a phase. */
const count = {
  func: 'KubeExec',
  name: 'count',
  args: {
    namespace: '{{StatefulSet.Namespace}}',
    pod: '{{index StatefulSet.Pods 0}}',
    command: [
      'sh',
      '-ec',
      `rows=$(psql -U postgres -d shop -tAc 'SELECT count(*) FROM orders')
       printf '###Phase-output###: {"key":"rows","value":"%s"}\\n' "$rows"`,
    ],
  },
}

/** The shipped Blueprint with a figure that is recorded and looked at. `recorded`: what the backup says it was. */
function blueprint(name: string, recorded: string): KubeObject {
  const shipped = parse(readFileSync(join(root, 'blueprints/postgresql/logical.yaml'), 'utf8')) as PlainBlueprint
  const { backup, restore } = shipped.actions
  const { dump } = (backup?.outputArtifacts ?? {}) as { readonly dump?: object }
  const dumped = backup?.phases.filter((phase) => phase['func'] === 'BackupStream') ?? []
  return {
    ...shipped,
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Blueprint',
    metadata: { name },
    actions: {
      backup: {
        ...backup,
        outputArtifacts: { dump, orders: { keyValue: { rows: recorded } } },
        phases: [...dumped, count],
      },
      restore,
      verify: {
        kind: 'StatefulSet',
        inputArtifactNames: ['dump'],
        outputArtifacts: { orders: { keyValue: { rows: '{{Phases.count.Output.rows}}' } } },
        phases: [count],
      },
    },
  }
}

/** The command line, as somebody types it. */
async function cli(words: readonly string[], accept: readonly number[] = [0]): Promise<CommandResult> {
  const env = { KUBECONFIG: world().kubeconfig }
  return runFully(process.execPath, [join(root, 'src/main/holdfast.ts'), ...words], { env, accept })
}

const place = ['--profile', profile, '-n', engineNamespace]

async function prove(words: readonly string[], accept: readonly number[] = [0]): Promise<Verification> {
  const { stdout } = await cli(['backup', 'prove', ...words, ...place, '--wait', '-o', 'json'], accept)
  return JSON.parse(stdout) as Verification
}

async function verifications(): Promise<Verification[]> {
  const text = await world().kubectl(['get', 'verifications', '-n', engineNamespace, '-o', 'json'])
  return (JSON.parse(text) as { readonly items: Verification[] }).items
}

/** What proofs have made and not removed. */
async function leftNamespaces(): Promise<string> {
  return await world().kubectl(['get', 'namespaces', '-l', 'holdfast.dev/verification', '-o', 'name'])
}

async function backUp(blueprintName: string): Promise<string> {
  const name = await holdfast.createActionSet(['-a', 'backup', '-b', blueprintName, '-t', `${app}/db`, '-p', profile])
  expect((await holdfast.ended(name, 240_000)).status?.error?.message).toBe('')
  return name
}

beforeAll(async () => {
  await world().image('postgres')
  await apply(
    world(),
    engineNamespace,
    blueprint('proven', '{{Phases.count.Output.rows}}'),
    blueprint('wrong', '1{{Phases.count.Output.rows}}'),
  )
  await holdfast.profile(profile, world().s3, bucket, 'some/prefix')
  await apply(world(), app, ...postgresObjects())
  await waitRolledOut(world(), app, 'statefulset/db', 240_000)
  digest = await fillOrders(world(), app, 'db-0', 5_000)
  good = await backUp('proven')
  wrong = await backUp('wrong')
  const linked = async (): Promise<boolean> =>
    (await withS3(world().s3, (client) => listKeys(client, bucket))).filter((key) => key.includes('/holdfast/chain/')).length >=
    2
  await waitFor('the backups to stand in the chain', linked, { timeoutMs: 120_000 })
  await world().kubectl(['delete', '-f', rights, '--ignore-not-found'])
}, 900_000)

afterAll(async () => {
  await world().kubectl(['delete', 'verifications', '--all', '-n', engineNamespace])
  // The engine needs the rights to remove what it made.
  await waitFor('all namespaces of proofs to be gone', async () => (await leftNamespaces()) === '', { timeoutMs: 180_000 })
  await world().kubectl(['delete', '-f', rights, '--ignore-not-found'])
}, 300_000)

describe('the proof of a backup', () => {
  test('fails at once without the rights for it, and says which file gives them', async () => {
    const { status } = await prove([good], [5])

    expect(status).toMatchObject({
      state: 'failed',
      message: expect.stringMatching(/may not create namespaces.*deploy\/verification\.yaml/),
    })
    expect(status?.steps?.map(({ state }) => state)).toEqual(['skipped', 'skipped', 'failed', 'skipped', 'complete'])
    expect(status?.disproved).toBeUndefined()
  }, 120_000)

  test('reads a sample, restores, compares the figures, tells the chain, and leaves nothing', async () => {
    await world().kubectl(['apply', '-f', rights])
    await rightsAreThere()

    const { status, metadata } = await prove([good, '--check', '100%'])

    expect(status).toMatchObject({
      state: 'complete',
      message: '',
      compared: { 'orders.rows': { recorded: '5000', found: '5000' } },
    })
    expect(status?.steps?.map(({ name, state }) => `${name} ${state}`)).toEqual(
      ['catalog', 'check', 'restore', 'verify', 'clean'].map((name) => `${name} complete`),
    )
    console.log(`proven: ${status?.steps?.map(({ name, seconds }) => `${name} ${seconds} s`).join(', ')}`)
    expect(await proofOf(good)).toMatchObject({ state: 'proven', details: { verification: metadata.name } })
    expect(await leftNamespaces()).toBe('')
    expect(await holdfast.events(metadata.name)).toContainEqual(expect.stringMatching(/^Proven: /))
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
    // What `verify` gave is no backup.
    expect((await records()).length).toBe(2)
  }, 400_000)

  test('says both values when the figure of the backup is not what comes back', async () => {
    const { status, metadata } = await prove([wrong, '--no-check'], [3])

    expect(status).toMatchObject({
      state: 'failed',
      disproved: true,
      message: expect.stringContaining('orders.rows was 15000 at the backup and is 5000 after the restore'),
      compared: { 'orders.rows': { recorded: '15000', found: '5000' } },
    })
    expect(await proofOf(wrong)).toMatchObject({ state: 'failed', details: { verification: metadata.name } })
    expect(await leftNamespaces()).toBe('')
    expect(await holdfast.events(metadata.name, 'Warning')).toContainEqual(expect.stringMatching(/^Disproved: /))
  }, 400_000)

  test('names the pack that is damaged', async () => {
    const { id, heal } = await damagePacks(1)
    try {
      const { status } = await prove([good, '--check', '100%', '--no-restore'], [3])

      expect(status).toMatchObject({ state: 'failed', disproved: true, message: expect.stringContaining(`pack ${id}`) })
    } finally {
      await heal()
    }
    const { status } = await prove([good, '--check', '100%', '--no-restore'])
    expect(status).toMatchObject({ state: 'complete', message: '' })
  }, 300_000)

  test('a restore that meets the damage disproves the backup too, and stays for a look when somebody wants that', async () => {
    const { heal } = await damagePacks(1_000)
    try {
      const { status, metadata } = await prove([good, '--no-check', '--isolate', '--keep-on-failure'], [3])
      const kept = status?.namespace ?? ''

      expect(status).toMatchObject({
        state: 'failed',
        disproved: true,
        message: expect.stringMatching(/^restore: .*its bytes were changed/),
      })
      expect(kept).toMatch(/^holdfast-verify-/)
      expect(await leftNamespaces()).toContain(kept)
      expect(await world().kubectl(['get', 'networkpolicy', '-n', kept, '-o', 'name'])).toContain('holdfast-verification')
      await world().kubectl(['delete', 'verification', metadata.name, '-n', engineNamespace])
      await waitFor('its namespace to be gone', async () => (await leftNamespaces()) === '', { timeoutMs: 240_000 })
    } finally {
      await heal()
    }
  }, 400_000)

  test('comes to its end though the operator is killed in each of its steps', async () => {
    const { stdout } = await cli(['backup', 'prove', good, ...place, '-o', 'json'])
    const { name } = (JSON.parse(stdout) as Verification).metadata
    const seen = async (): Promise<Verification> =>
      (await verifications()).find(({ metadata }) => metadata.name === name) as Verification
    const killed: string[] = []
    const end = await waitFor(
      'the proof to end',
      async () => {
        const { status } = await seen()
        const step = status?.step ?? ''
        if (['check', 'restore', 'verify', 'clean'].includes(step) && !killed.includes(step)) {
          killed.push(step)
          await killOperator()
        }
        return status?.state === 'complete' || status?.state === 'failed' ? status : undefined
      },
      { timeoutMs: 600_000 },
    )

    console.log(`killed in ${killed.join(', ')}; attempts: ${end.attempt}`)
    expect(killed).toContain('restore')
    expect(end).toMatchObject({
      state: 'complete',
      message: '',
      compared: { 'orders.rows': { recorded: '5000', found: '5000' } },
    })
    expect(await leftNamespaces()).toBe('')
  }, 700_000)

  test('leaves nothing when its Verification is deleted in the middle', async () => {
    const { stdout } = await cli(['backup', 'prove', good, '--no-check', ...place, '-o', 'json'])
    const { name } = (JSON.parse(stdout) as Verification).metadata
    await waitFor('the namespace of the test restore', async () => (await leftNamespaces()) !== '', { timeoutMs: 120_000 })

    await world().kubectl(['delete', 'verification', name, '-n', engineNamespace])

    await waitFor('the namespace to be gone', async () => (await leftNamespaces()) === '', { timeoutMs: 240_000 })
    const label = `holdfast.dev/verification=${name}`
    const left = async (): Promise<string> =>
      await world().kubectl(['get', 'actionsets', '-n', engineNamespace, '-l', label, '-o', 'name'])
    await waitFor('its ActionSets to be gone', async () => (await left()) === '', { timeoutMs: 120_000 })
  }, 400_000)

  test('the original was never touched, and no volume is left', async () => {
    expect(await ordersDigest(world(), app, 'db-0')).toBe(digest)
    const volumes = await world().kubectl([
      'get',
      'pv',
      '-o',
      'jsonpath={range .items[*]}{.spec.claimRef.namespace}{"\\n"}{end}',
    ])
    expect(volumes).not.toContain('holdfast-verify-')
  })
})

/** The aggregated role is filled by a controller of the cluster. */
async function rightsAreThere(): Promise<void> {
  const asked = ['auth', 'can-i', 'create', 'namespaces', `--as=system:serviceaccount:${engineNamespace}:holdfast`]
  await waitFor(
    'the rights',
    async () => {
      const { stdout } = await world()
        .kubectl([...asked])
        .then(
          (text) => ({ stdout: text }),
          () => ({ stdout: 'no' }),
        )
      return stdout.startsWith('yes')
    },
    { timeoutMs: 60_000 },
  )
}

async function records(): Promise<string[]> {
  return (await withS3(world().s3, (client) => listKeys(client, bucket))).filter((key) => key.includes('/holdfast/records/'))
}

async function proofOf(actionSet: string): Promise<ReturnType<typeof lastProof>> {
  const kube = await openKube({ env: { KUBECONFIG: world().kubeconfig } })
  const stores = new StorePool()
  try {
    const { signal } = new AbortController()
    const installationId = await world().kubectl(['get', 'namespace', engineNamespace, '-o', 'jsonpath={.metadata.uid}'])
    const catalog = await catalogOpener(
      kube,
      engineNamespace,
      installationId,
      stores,
    )({ name: profile, namespace: engineNamespace }, signal)
    const { metadata } = await holdfast.get(actionSet)
    return lastProof(await readChain({ ...catalog, object: db }), `${metadata.uid}-0`)
  } finally {
    await stores.close()
    await kube.close()
  }
}

/** Changes one bit of the last packs. */
async function damagePacks(count: number): Promise<{ readonly id: string; readonly heal: () => Promise<void> }> {
  return withS3(world().s3, async (client) => {
    const keys = (await listKeys(client, bucket)).filter((one) => one.includes('/data/')).slice(-count)
    const put = (to: S3Client, key: string, bytes: Buffer): Promise<unknown> =>
      to.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes }))
    const sound = new Map<string, Buffer>()
    for (const key of keys) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      const bytes = Buffer.from((await Body?.transformToByteArray()) ?? [])
      sound.set(key, bytes)
      const bad = Buffer.from(bytes)
      bad.writeUInt8(bad.readUInt8(40) ^ 1, 40)
      await put(client, key, bad)
    }
    const heal = (): Promise<void> =>
      withS3(world().s3, async (again) => {
        for (const [key, bytes] of sound) await put(again, key, bytes)
      })
    return { id: keys.at(-1)?.split('/').at(-1) ?? '', heal }
  })
}

async function killOperator(): Promise<void> {
  const labels = ['-n', engineNamespace, '-l', 'app.kubernetes.io/name=holdfast-operator']
  await world().kubectl(['delete', 'pods', ...labels, '--grace-period=0', '--force', '--wait=false'])
}
