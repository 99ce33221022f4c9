import { beforeEach, describe, expect, test } from 'vitest'
import { buildParams, freezeInputs, thawInputs } from '../../../src/engine/params.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { FakeApi } from '../../build/fake-api.ts'

const moment = { time: '2026-11-21T09:47:27.657Z', seed: 'ab' }
const { signal } = new AbortController()
let api: FakeApi
let kube: Kube

function secret(name: string, data: Record<string, string>, type = 'Opaque'): void {
  const encoded = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  api.put(kinds.secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'app' }, type, data: encoded })
}

function profile(credential: object): void {
  const object = {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Profile',
    metadata: { name: 'p', namespace: 'app' },
    location: { type: 's3Compliant', bucket: 'b' },
    credential,
  }
  api.put(ownKinds.profiles, object as never)
}

beforeEach(() => {
  api = new FakeApi()
  kube = api.kube()
  api.put(kinds.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'app' } })
  api.put(kinds.statefulSets, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: 'app' } })
})

const onNamespace = { object: { kind: 'namespace', name: 'app', namespace: 'app' } }
const onDatabase = { object: { kind: 'StatefulSet', name: 'db', namespace: 'app' } }
const withProfile = { ...onNamespace, profile: { name: 'p', namespace: 'app' } }

describe('inputs that are frozen', () => {
  test('hold the workload with its pods, so that a resume does not depend on what runs then', async () => {
    const { inputs } = await freezeInputs(kube, onDatabase, moment, signal)
    api.remove(kinds.statefulSets, 'app', 'db')

    const live = await thawInputs(kube, onDatabase, inputs, signal)
    const params = buildParams({ spec: onDatabase, action: { phases: [] }, inputs, live, fetched: new Map() })

    expect(params.StatefulSet).toMatchObject({ Name: 'db', Namespace: 'app', Pods: ['db-0'] })
    expect(params.Object).toMatchObject({ kind: 'StatefulSet' })
  })

  test('hold Secrets by reference only; a rotated credential is seen by the next attempt', async () => {
    secret('s', { k: 'hidden-one' })
    profile({ type: 'keyPair', keyPair: { idField: 'id', secretField: 'key', secret: { name: 'creds', namespace: 'app' } } })
    secret('creds', { id: 'me', key: 'hidden-two' })
    const spec = { ...withProfile, secrets: { s: { name: 's', namespace: 'app' } } }
    const { inputs, live } = await freezeInputs(kube, spec, moment, signal)

    expect(live.profile?.Credential.KeyPair).toEqual({ ID: 'me', Secret: 'hidden-two' })
    const kept = JSON.stringify(inputs)
    for (const value of ['hidden-one', 'hidden-two']) expect(kept).not.toContain(Buffer.from(value).toString('base64'))

    secret('creds', { id: 'me', key: 'rotated' })
    expect((await thawInputs(kube, spec, inputs, signal)).profile?.Credential.KeyPair?.Secret).toBe('rotated')
  })

  test('do not hold the contents of an object that is a Secret, and templates see them all the same', async () => {
    secret('target', { k: 'hidden' })
    const spec = {
      object: { apiVersion: 'v1', group: '', resource: 'secrets', kind: 'Secret', name: 'target', namespace: 'app' },
    }

    const { inputs, live } = await freezeInputs(kube, spec, moment, signal)

    expect(JSON.stringify(inputs)).not.toContain(Buffer.from('hidden').toString('base64'))
    expect(live.object?.['data']).toEqual({ k: Buffer.from('hidden').toString('base64') })
  })

  test.each([
    ['a missing workload', { object: { kind: 'Deployment', name: 'x', namespace: 'app' } }, 'deployments.apps "x" not found'],
    [
      'a reference without a namespace',
      { ...onNamespace, secrets: { s: { name: 's' } } },
      'an empty namespace may not be set when a resource name is provided',
    ],
    ['a missing Secret', { ...onNamespace, secrets: { s: { name: 's', namespace: 'app' } } }, 'secrets "s" not found'],
    [
      'an object without a resource',
      { object: { kind: 'unstructured', name: 'x' } },
      'could not fetch object name: x, namespace: , group: , version: , resource: ',
    ],
  ])('are refused with %s', async (_, spec, message) => {
    await expect(freezeInputs(kube, spec, moment, signal)).rejects.toThrow(message)
  })

  test.each([
    ['keyPair', { type: 'keyPair' }, 'KVSecret cannot be nil'],
    [
      'key that is absent',
      { type: 'keyPair', keyPair: { idField: 'nope', secretField: 'key', secret: { name: 'creds', namespace: 'app' } } },
      "Key 'nope' not found in secret 'app:creds'",
    ],
    [
      'Secret of another type',
      { type: 'secret', secret: { name: 'creds', namespace: 'app' } },
      "Unsupported type 'Opaque' for secret 'app:creds'",
    ],
    ['credential type', { type: 'magic' }, "CredentialType 'magic' not supported"],
  ])('are refused with a Profile whose %s cannot be used', async (_, credential, message) => {
    secret('creds', { id: 'me', key: 'k' })
    profile(credential)

    await expect(freezeInputs(kube, withProfile, moment, signal)).rejects.toThrow(message)
  })
})

describe('variables', () => {
  test('show a phase from its start, its output from its end', async () => {
    const { inputs, live } = await freezeInputs(kube, onNamespace, moment, signal)
    const phases = [
      { name: 'one', state: 'complete' as const, output: { a: 'b' } },
      { name: 'two', state: 'running' as const },
      { name: 'three', state: 'pending' as const },
    ]
    const nothing = { secrets: {}, configMaps: {} }
    const fetched = new Map([
      [0, nothing],
      [1, nothing],
    ])

    const params = buildParams({ spec: onNamespace, action: { phases }, inputs, live, fetched })

    expect(params.Phases).toEqual({
      one: { Secrets: {}, ConfigMaps: {}, Output: { a: 'b' } },
      two: { Secrets: {}, ConfigMaps: {} },
    })
    expect(params.Namespace).toEqual({ Name: 'app', Namespace: 'app' })
    expect(params.Time).toBe(moment.time)
  })
})
