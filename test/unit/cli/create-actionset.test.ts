import { describe, expect, test } from 'vitest'
import type { ActionSet } from '../../../src/api/actionset.ts'
import { buildActionSet } from '../../../src/cli/kanctl/create-actionset/build.ts'
import type { CreateActionSetFlags } from '../../../src/cli/kanctl/create-actionset/flags.ts'
import { parseDuration, parseFlags } from '../../../src/cli/kanctl/create-actionset/parse.ts'

function flags(some: Partial<CreateActionSetFlags> = {}): CreateActionSetFlags {
  const none = {
    configMaps: [],
    secrets: [],
    deployment: [],
    statefulset: [],
    deploymentconfig: [],
    pvc: [],
    namespacetargets: [],
    objects: [],
  }
  return {
    ...none,
    options: [],
    kind: 'all',
    selectorNamespace: '',
    labels: '',
    podlabels: [],
    podannotations: [],
    dryRun: false,
    skipValidation: false,
    wait: false,
    timeoutMs: 1000,
    ...some,
  }
}

function build(some: Partial<CreateActionSetFlags>, parent?: ActionSet): ReturnType<typeof buildActionSet> {
  return buildActionSet(parseFlags(flags(some), 'holdfast'), parent, 'x7k2q')
}

const parent = {
  apiVersion: 'cr.kanister.io/v1alpha1',
  kind: 'ActionSet',
  metadata: { name: 'backup-abc', namespace: 'holdfast', uid: 'u', resourceVersion: '1' },
  spec: {
    actions: [
      {
        name: 'backup',
        blueprint: 'pg',
        object: { kind: 'statefulset', name: 'db', namespace: 'app' },
        profile: { name: 'bucket', namespace: 'holdfast' },
        options: { level: '1', keep: 'yes' },
        podOverride: { nodeName: 'n' },
        podLabels: { team: 'a' },
      },
    ],
  },
  status: {
    state: 'complete',
    actions: [
      {
        name: 'backup',
        blueprint: 'pg',
        object: { kind: 'statefulset', name: 'db', namespace: 'app' },
        artifacts: { dump: { keyValue: { id: '42' } } },
      },
    ],
  },
} as const satisfies ActionSet

describe('create actionset', () => {
  test('one action per object, all with the same settings', () => {
    const made = build({
      action: 'backup',
      blueprint: 'pg',
      statefulset: ['app/db', 'app/db', 'app/other'],
      profile: 'bucket',
      options: ['url=a=b'],
      secrets: ['pw=app/db-secret'],
      labels: 'a=b, c=d',
    })

    expect(made.metadata).toEqual({ name: 'backup-x7k2q', labels: { a: 'b', c: 'd' } })
    expect(made.spec.actions.map((action) => action.object?.name)).toEqual(['db', 'other'])
    expect(made.spec.actions[0]).toEqual({
      name: 'backup',
      blueprint: 'pg',
      object: { apiVersion: '', group: '', resource: '', kind: 'statefulset', name: 'db', namespace: 'app' },
      profile: { apiVersion: 'v1alpha1', group: '', resource: '', kind: 'Profile', name: 'bucket', namespace: 'holdfast' },
      options: { url: 'a=b' },
      secrets: { pw: { apiVersion: '', group: '', resource: '', kind: 'Secret', name: 'db-secret', namespace: 'app' } },
      podLabels: {},
      podAnnotations: {},
    })
  })

  test.each([
    ['a core object', 'v1/secrets/app/s', { apiVersion: 'v1', group: '', resource: 'secrets' }],
    ['an object of a group', 'apps/v1/deployments/app/s', { apiVersion: 'v1', group: 'apps', resource: 'deployments' }],
  ])('%s is named by its path', (_name, path, wanted) => {
    const object = build({ action: 'a', blueprint: 'b', objects: [path] }).spec.actions[0]?.object

    expect(object).toEqual({ ...wanted, kind: '', name: 's', namespace: 'app' })
  })

  test('a child takes artifacts, object and settings of its parent, and flags win', () => {
    const made = build({ action: 'restore', from: 'backup-abc', options: ['level=2'], podlabels: ['team=b'] }, parent)

    expect(made.metadata.name).toBe('restore-backup-abc-x7k2q')
    expect(made.spec.actions).toEqual([
      {
        name: 'restore',
        blueprint: 'pg',
        object: { kind: 'statefulset', name: 'db', namespace: 'app' },
        artifacts: { dump: { keyValue: { id: '42' } } },
        profile: { name: 'bucket', namespace: 'holdfast' },
        options: { level: '2', keep: 'yes' },
        podOverride: { nodeName: 'n' },
        podLabels: { team: 'b' },
        podAnnotations: {},
      },
    ])
  })

  test('a child may act on another object', () => {
    const made = build({ action: 'restore', from: 'backup-abc', statefulset: ['elsewhere/db2'] }, parent)

    expect(made.spec.actions.map((action) => `${action.object?.namespace}/${action.object?.name}`)).toEqual(['elsewhere/db2'])
  })

  test('an unfinished parent is refused', () => {
    const running = { ...parent, status: { state: 'running' } } as const

    expect(() => build({ from: 'backup-abc' }, running)).toThrow(/backup-abc has not been executed: its state is running/)
  })

  test.each([
    ['no object', { action: 'a', blueprint: 'b' }, /no objects found/],
    ['no action', { blueprint: 'b', pvc: ['a/b'] }, /action required/],
    ['no blueprint', { action: 'a', pvc: ['a/b'] }, /blueprint required/],
    ['a workload without namespace', { statefulset: ['db'] }, /failed to parse statefulset: Expected namespace\/name. Got db/],
    ['a secret without reference', { secrets: ['foo'] }, /failed to parse secrets: Expected ref=namespace\/name. Got foo/],
    ['a profile of three parts', { profile: 'a/b/c' }, /Invalid profile name a\/b\/c/],
    ['labels without value', { labels: 'foo' }, /invalid --labels value/],
    ['a label key with a space', { podlabels: ['bad key=v'] }, /label key 'bad key' failed validation/],
    ['an object path too short', { objects: ['v1/secrets/s'] }, /Expected group\/version\/resource\/namespace\/name/],
    ['an option without value', { options: ['a'] }, /Expected options as key=value pairs. Got a/],
  ])('%s is refused', (_name, some, wanted) => {
    expect(() => build(some)).toThrow(wanted)
  })

  test('durations are read as Go writes them', () => {
    expect(parseDuration('1h30m')).toBe(5_400_000)
    expect(() => parseDuration('soon')).toThrow(/is no duration/)
  })
})
