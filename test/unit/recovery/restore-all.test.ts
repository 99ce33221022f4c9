import { expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { BackupDeps } from '../../../src/cli/commands/backup/deps.ts'
import { drCommands } from '../../../src/cli/commands/dr/define.ts'
import type { RecoveryPlace } from '../../../src/recovery/place.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aCatalog, aRecord, putRecord } from './a-bucket.ts'

interface Result {
  readonly applications: readonly { readonly application: string; readonly problem?: string }[]
}

async function restoreAll(place: RecoveryPlace, ...words: string[]): Promise<Result & { readonly exitCode: number }> {
  let out = ''
  let exitCode = 0
  const cluster = { kube: new FakeApi().kube(), namespace: 'holdfast', profile: { name: 'p', namespace: 'holdfast' } }
  const deps = {
    output: { out: (text) => void (out += text), err: () => undefined, live: false },
    clock: systemClock,
    signal: new AbortController().signal,
    version: '0.1.0',
    suffix: () => 'xxxxx',
    finish: (code) => void (exitCode = code),
    open: () => Promise.resolve({ place, cluster, [Symbol.asyncDispose]: () => Promise.resolve() }),
  } as Partial<BackupDeps> as BackupDeps
  await drCommands(deps).parseAsync(['restore-all', '-o', 'json', ...words], { from: 'user' })
  return { ...(JSON.parse(out) as Result), exitCode }
}

async function withBroken(namespace: string): Promise<RecoveryPlace> {
  const { place, location } = await aCatalog()
  await location.put(`holdfast/records/${namespace}/statefulset-broken/20260101T000300Z-u3-0.json`, Buffer.from('{"half": '))
  await putRecord(location, aRecord(4, { object: { kind: 'StatefulSet', name: 'db', namespace: 'other' } }))
  return place
}

test('an application of which no record can be read is one that did not come back', async () => {
  const { applications, exitCode } = await restoreAll(await withBroken('shop'), '--app-namespace', 'shop')

  expect(applications).toContainEqual(
    expect.objectContaining({ application: 'shop/statefulset/broken', problem: expect.stringContaining('not JSON') as string }),
  )
  expect(exitCode).toBe(3)
})

test('those of other namespaces are not asked for', async () => {
  const { applications } = await restoreAll(await withBroken('elsewhere'), '--app-namespace', 'shop')

  expect(applications.map(({ application }) => application)).toEqual(['shop/statefulset/db'])
})

test('a selector that says nothing is refused, not taken for one that fits nothing', async () => {
  const { place } = await aCatalog()

  await expect(restoreAll(place, '--selector', 'app')).rejects.toMatchObject({ code: 'CLI_USAGE' })
})
