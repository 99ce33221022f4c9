import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { listKeys } from '../harness/world/bucket.ts'
import { useBucket, useNamespace, useWorld, withS3 } from '../harness/world/fixtures.ts'
import { engineNamespace, type SeenActionSet, useInstallation } from '../harness/world/installation.ts'
import { apply, waitRolledOut } from '../harness/world/objects.ts'
import { createS3User } from '../harness/world/s3-user.ts'
import {
  type ActionRequest,
  shellApp,
  startAction,
  uncheckedBlueprintOf,
  type WrittenPhase,
} from '../harness/world/shell-app.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const world = useWorld()
const holdfast = useInstallation(world)
const app = useNamespace(world, 'app')
const bucket = useBucket(world)
const blueprint = `e2e-${bucket}`
const profile = `e2e-${bucket}`
const wrongSecret = 'this-is-not-the-secret-key'

beforeAll(async () => {
  await world().image('debian')
  await apply(world(), engineNamespace, uncheckedBlueprintOf(blueprint, actions()))
  await holdfast.profile(profile, world().s3, bucket)
  await apply(world(), app, shellApp())
  await waitRolledOut(world(), app, 'statefulset/app')
})

afterAll(() => world().kubectl(['delete', '-n', engineNamespace, '--ignore-not-found', 'blueprint', blueprint]))

describe.concurrent('an ActionSet that cannot work fails and says why', () => {
  test('unknown Blueprint', async () => {
    const seen = await failed({ blueprint: 'no-such-blueprint' })

    expect(seen.message).toMatch(/"no-such-blueprint" not found; .*create/)
  })

  test('unknown action', async () => {
    const seen = await failed({ action: 'no-such-action' })

    expect(seen.message).toMatch(new RegExp(`no-such-action .*not found in blueprint ${blueprint}; it has .*backup`))
  })

  test('unknown function', async () => {
    const seen = await failed({ action: 'unknown-function' })

    expect(seen.message).toMatch(/\{BackUpStream\} has not been registered; did you mean BackupStream/)
  })

  test('missing argument', async () => {
    const seen = await failed({ action: 'missing-argument' })

    expect(seen.message).toMatch(/BackupStream: Required arg missing: command/)
  })

  test('a Blueprint without actions', async () => {
    const empty = `${blueprint}-empty`
    await apply(world(), engineNamespace, { ...uncheckedBlueprintOf(empty, {}), actions: undefined })
    onTestFinished(() =>
      world()
        .kubectl(['delete', '-n', engineNamespace, 'blueprint', empty])
        .then(() => undefined),
    )

    const seen = await failed({ blueprint: empty })

    expect(seen.message).toMatch(new RegExp(`not found in blueprint ${empty}; it has no actions`))
  })

  test('no Profile for an action that stores something', async () => {
    const seen = await failed({ profile: '' })

    expect(seen.message).toMatch(/profile/i)
  })

  test('unknown Profile', async () => {
    const seen = await failed({ profile: 'no-such-profile' })

    expect(seen.message).toContain('"no-such-profile"')
  })

  test('unknown object', async () => {
    const seen = await failed({ object: 'no-such-statefulset' })

    expect(seen.message).toContain('"no-such-statefulset"')
  })

  test('a pod that is gone', async () => {
    const seen = await failed({ action: 'no-such-pod' })

    expect(seen.message).toContain('no-such-pod')
  })

  test('wrong secret key', async () => {
    const wrong = await holdfast.profile(`${profile}-secret`, { ...world().s3, secretKey: wrongSecret }, bucket)
    const seen = await failed({ profile: wrong })

    expect(seen.message).toMatch(new RegExp(`bucket "${bucket}".*secret key is wrong.*Secret`))
  })

  test('unknown access key', async () => {
    const wrong = await holdfast.profile(`${profile}-access`, { ...world().s3, accessKey: 'nobody' }, bucket)
    const seen = await failed({ profile: wrong })

    expect(seen.message).toMatch(new RegExp(`bucket "${bucket}".*does not know this access key.*Secret`))
  })

  test('missing bucket', async () => {
    const wrong = await holdfast.profile(`${profile}-bucket`, world().s3, `${bucket}-missing`)
    const seen = await failed({ profile: wrong })

    expect(seen.message).toMatch(new RegExp(`bucket "${bucket}-missing".*create the bucket`))
  })

  test('an endpoint that refuses connections', async () => {
    const s3 = { ...world().s3, podEndpoint: `http://${new URL(world().s3.podEndpoint).hostname}:9` }
    const seen = await failed({ profile: await holdfast.profile(`${profile}-refused`, s3, bucket) })

    expect(seen.message).toMatch(/:9 failed: .*check location.endpoint of the Profile/)
  })

  test('an endpoint that never answers', async () => {
    const { hostIp } = world()
    if (hostIp === undefined) return
    const port = await muteServer()
    const s3 = { ...world().s3, podEndpoint: `http://${hostIp}:${port}` }
    const seen = await failed({ profile: await holdfast.profile(`${profile}-mute`, s3, bucket) })

    expect(seen.message).toMatch(new RegExp(`:${port} (stalled|failed).*check location.endpoint of the Profile`))
  })

  test('a command that fails', async () => {
    const seen = await failed({ action: 'exit-3' })

    expect(seen.message).toMatch(/app-0.* exit code 3[^]*no space on device/)
    expect(seen.status?.actions?.[0]?.phases).toMatchObject([{ state: 'failed' }, { state: 'pending' }])
    // The state is `failed` at once, the deferred phase ends after it.
    await waitFor('the deferred phase to end', async () => {
      const { status } = await holdfast.get(seen.metadata.name)
      return status?.actions?.[0]?.deferPhase?.state === 'complete'
    })
  })

  test('a command that fails after it has printed half of a backup', async () => {
    const seen = await failed({ action: 'half' })

    expect(seen.message).toMatch(/app-0.* exit code 3[^]*no space on device/)
  })

  test('a command that prints nothing', async () => {
    const seen = await failed({ action: 'nothing' })

    expect(seen.message).toMatch(/app-0.*printed 0 bytes.*allowEmpty/)
  })

  test('one that another engine left running is failed, not resumed', async () => {
    const phases = [{ name: 'dump', state: 'running' }]
    const left = { name: 'backup', blueprint, object: { kind: 'StatefulSet', name: 'app', namespace: app }, phases }
    const seen = await failed({ status: { state: 'running', actions: [left] } })

    expect(seen.message).toMatch(/not started by this engine.*create the ActionSet again/)
  })
})

describe('after all these failures', () => {
  test('no backup is left that looks like one', async () => {
    const keys = await withS3(world().s3, (client) => listKeys(client, bucket))

    expect(keys.filter((key) => /\/snapshots\/|records\//.test(key))).toEqual([])
  })

  test('neither status, Events, Runs nor logs hold a secret', async () => {
    const seen = [
      await world().kubectl(['get', 'actionsets,runs,events,pods', '-n', engineNamespace, '-o', 'json']),
      await holdfast.logs(),
    ].join('\n')

    expect(seen).toContain(bucket)
    expect(seen.includes(world().s3.secretKey)).toBe(false)
    expect(seen.includes(wrongSecret)).toBe(false)
  })

  test('a good one still works', async () => {
    const { status } = await holdfast.ended(await startAction(world(), { action: 'backup', blueprint, app, profile }))

    expect(status?.error?.message).toBe('')
    expect(status?.state).toBe('complete')
  })
})

describe('what is no Blueprint or ActionSet', () => {
  test.each([
    ['text', 'this is no YAML object'],
    ['half a Blueprint', 'apiVersion: cr.kanister.io/v1alpha1\nkind: Blueprint\n'],
    ['actions that are a number', 'apiVersion: cr.kanister.io/v1alpha1\nkind: Blueprint\nmetadata: {name: bad}\nactions: 5\n'],
    [
      'phases that are a text',
      'apiVersion: cr.kanister.io/v1alpha1\nkind: Blueprint\nmetadata: {name: bad}\nactions: {a: {phases: x}}\n',
    ],
    [
      'an ActionSet whose actions are a map',
      'apiVersion: cr.kanister.io/v1alpha1\nkind: ActionSet\nmetadata: {name: bad}\nspec: {actions: {}}\n',
    ],
  ])('is refused by the API server: %s', async (_, text) => {
    await expect(world().kubectl(['create', '-n', engineNamespace, '-f', '-'], { input: text })).rejects.toThrow()
  })

  test.each([
    ['Blueprint', ['-b', 'no-such-blueprint', '-p', profile]],
    ['Profile', ['-b', blueprint, '-p', 'no-such-profile']],
  ])('the plugin refuses an unknown %s', async (_, args) => {
    await expect(holdfast.createActionSet(['-a', 'backup', '-t', `${app}/app`, ...args])).rejects.toThrow(/no-such/)
  })
})

describe('a bucket whose user may not delete', () => {
  test('takes a backup; deleting it fails and says so, and the backup stays usable', async () => {
    const user = await createS3User(world(), bucket, [
      's3:GetObject',
      's3:PutObject',
      's3:ListBucket',
      's3:AbortMultipartUpload',
    ])
    const keeper = await holdfast.profile(`${profile}-keeper`, { ...world().s3, ...user }, bucket, 'kept')
    const backup = await startAction(world(), { action: 'backup', blueprint, app, profile: keeper })
    const made = await holdfast.ended(backup)
    const before = await snapshots('kept')

    const deleted = await holdfast.ended(await holdfast.createActionSet(['-a', 'delete', '--from', backup]))
    const restored = await holdfast.ended(await holdfast.createActionSet(['-a', 'restore', '--from', backup]))

    expect(made.status?.error?.message).toBe('')
    expect(made.status?.state).toBe('complete')
    expect(deleted.status?.state).toBe('failed')
    expect(deleted.status?.error?.message).toMatch(new RegExp(`bucket "${bucket}".*rights of its user`))
    expect(before).toHaveLength(1)
    expect(await snapshots('kept')).toEqual(before)
    expect(restored.status?.error?.message).toBe('')
    expect(JSON.stringify([made, deleted])).not.toContain(user.secretKey)
  })
})

async function snapshots(prefix: string): Promise<string[]> {
  const keys = await withS3(world().s3, (client) => listKeys(client, bucket))
  return keys.filter((key) => key.startsWith(prefix) && /\/snapshots\/./.test(key))
}

/** Runs an ActionSet that must fail, and gives its message; it must have a Warning Event that carries it too. */
async function failed(change: Partial<ActionRequest>): Promise<SeenActionSet & { readonly message: string }> {
  const name = await startAction(world(), { action: 'backup', blueprint, app, profile, ...change })
  const seen = await holdfast.ended(name, 90_000)
  const message = seen.status?.error?.message ?? ''
  expect(seen.status?.state).toBe('failed')
  expect(message).not.toBe('')
  await waitFor(`a Warning about ${name}`, async () => {
    const warnings = await holdfast.events(name, 'Warning')
    return warnings.some((warning) => warning.includes(message.slice(0, 60)))
  })
  return { ...seen, message }
}

/** Takes connections and never says anything. Its port. */
async function muteServer(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined))
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve))
  const address = server.address()
  return typeof address === 'object' && address ? address.port : 0
}

function actions(): Parameters<typeof uncheckedBlueprintOf>[1] {
  const place = { namespace: '{{ .StatefulSet.Namespace }}', pod: '{{ index .StatefulSet.Pods 0 }}' }
  const stream = (command: readonly string[]): { phases: WrittenPhase[]; outputArtifacts: unknown } => ({
    outputArtifacts: {
      dump: {
        keyValue: { snapshot: '{{ .Phases.dump.Output.snapshotID }}', repository: '{{ .Phases.dump.Output.repository }}' },
      },
    },
    phases: [{ func: 'BackupStream', name: 'dump', args: { ...place, command } }],
  })
  const kept = {
    snapshotID: '{{ .ArtifactsIn.dump.KeyValue.snapshot }}',
    repository: '{{ .ArtifactsIn.dump.KeyValue.repository }}',
  }
  const exec = (name: string, script: string): WrittenPhase => ({
    func: 'KubeExec',
    name,
    args: { ...place, command: ['sh', '-c', script] },
  })
  return {
    backup: stream(['echo', 'something worth keeping']),
    restore: {
      inputArtifactNames: ['dump'],
      phases: [{ func: 'RestoreStream', name: 'load', args: { ...place, ...kept, command: ['grep', 'worth'] } }],
    },
    delete: { inputArtifactNames: ['dump'], phases: [{ func: 'DeleteStream', name: 'forget', args: kept }] },
    'unknown-function': { phases: [{ func: 'BackUpStream', name: 'dump', args: { ...place, command: ['true'] } }] },
    'missing-argument': { phases: [{ func: 'BackupStream', name: 'dump', args: place }] },
    'no-such-pod': {
      phases: [{ func: 'BackupStream', name: 'dump', args: { ...place, pod: 'no-such-pod', command: ['true'] } }],
    },
    'exit-3': {
      phases: [exec('quiesce', 'echo no space on device >&2; exit 3'), exec('never', 'true')],
      deferPhase: exec('release', 'true'),
    },
    half: stream(['sh', '-c', 'head -c 3000000 /dev/urandom; echo no space on device >&2; exit 3']),
    nothing: stream(['true']),
  }
}
