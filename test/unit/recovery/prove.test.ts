import { beforeAll, expect, test } from 'vitest'
import type { Verification, VerificationStatus } from '../../../src/api/verification.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { backupCommands } from '../../../src/cli/commands/backup/define.ts'
import type { BackupDeps } from '../../../src/cli/commands/backup/deps.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aCatalog } from './a-bucket.ts'

let place: Awaited<ReturnType<typeof aCatalog>>['place']

beforeAll(async () => {
  ;({ place } = await aCatalog())
})

interface Ran {
  readonly out: string
  readonly code: number
  readonly made: Verification | undefined
}

/** `end`: what the engine makes of it; undefined: it never ends. */
async function prove(words: readonly string[], end?: VerificationStatus): Promise<Ran> {
  const api = new FakeApi()
  let [out, code] = ['', 0]
  const waitFor: Kube['waitFor'] = async (_def, key, done) => {
    const found = api.read(ownKinds.verifications, key.namespace ?? '', key.name)
    if (!end) throw kubeError('KUBE_TIMEOUT', 'waited')
    // As the server would give it.
    return done({ ...found, status: end } as never) as never
  }
  const cluster = { kube: { ...api.kube(), waitFor }, namespace: 'holdfast', profile: { name: 'p', namespace: 'holdfast' } }
  const deps = {
    output: { out: (text) => void (out += text), err: () => undefined, live: false },
    clock: systemClock,
    signal: new AbortController().signal,
    suffix: () => 'abcde',
    finish: (exit) => void (code = exit),
    open: () => Promise.resolve({ place, cluster, [Symbol.asyncDispose]: () => Promise.resolve() }),
  } as Partial<BackupDeps> as BackupDeps
  await backupCommands(deps).parseAsync(['prove', ...words], { from: 'user' })
  return { out, code, made: api.all(ownKinds.verifications)[0] as Verification | undefined }
}

test('asks for a sample, a test restore and a look at it, of the backup that was named', async () => {
  const { made, out } = await prove(['backup-1'])

  expect(made).toMatchObject({
    metadata: { name: 'prove-1-abcde', namespace: 'holdfast' },
    spec: {
      profile: { name: 'p', namespace: 'holdfast' },
      record: expect.stringMatching(/^holdfast\/records\/shop\/statefulset-db\/20260101T000100Z-u1aaaaaa-0\.json$/),
      object: { kind: 'StatefulSet', name: 'db', namespace: 'shop' },
      check: { subset: '5%' },
      restore: { timeout: '1h' },
      verify: {},
    },
  })
  expect(out).toContain('kubectl get verification -n holdfast prove-1-abcde -w')
})

test('the newest of an object, and less or more than usual', async () => {
  const sample = await prove(['shop/statefulset/db', '--check', '2/10', '--no-restore'])
  const restore = await prove([
    'backup-2',
    '--no-check',
    '--no-verify',
    '--isolate',
    '--storage-class',
    'fast=slow',
    '--option',
    'user=me',
  ])

  expect(sample.made?.spec).toMatchObject({ record: expect.stringContaining('u2aaaaaa-0'), check: { subset: '2/10' } })
  expect(sample.made?.spec).not.toHaveProperty('restore')
  expect(sample.made?.spec).not.toHaveProperty('verify')
  expect(restore.made?.spec.restore).toEqual({
    timeout: '1h',
    isolate: true,
    storageClasses: { fast: 'slow' },
    options: { user: 'me' },
  })
  expect(restore.made?.spec).not.toHaveProperty('check')
})

test.each<[string, VerificationStatus, number, string]>([
  [
    'proven',
    {
      state: 'complete',
      steps: [{ name: 'restore', state: 'complete', seconds: 7 }],
      compared: { 'c.rows': { recorded: '5', found: '5' } },
    },
    0,
    'restore  complete  7 s\n  c.rows: 5\nprove-1-abcde: proven: it can be restored\n',
  ],
  ['looked at only', { state: 'complete', steps: [] }, 0, 'it was not restored'],
  ['no good', { state: 'failed', disproved: true, message: 'verify: 4 rows' }, 3, 'DISPROVED: verify: 4 rows'],
  ['not tried', { state: 'failed', message: 'restore: quota' }, 5, 'could not be proven: restore: quota'],
])('waits and says so: %s', async (_what, status, code, text) => {
  const ran = await prove(['backup-1', '--wait'], status)

  expect(ran.code).toBe(code)
  expect(ran.out).toContain(text)
})

test('gives up waiting in its time', async () => {
  await expect(prove(['backup-1', '--wait', '--timeout', '1m'])).rejects.toMatchObject({ code: 'CLI_WAIT_TIMEOUT' })
})
