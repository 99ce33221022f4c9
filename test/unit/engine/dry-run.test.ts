import { beforeEach, expect, test } from 'vitest'
import type { Blueprint } from '../../../src/api/blueprint.ts'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { type DryRun, dryRun } from '../../../src/engine/dry-run.ts'
import { getFunction } from '../../../src/functions/registry.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { createRenderer } from '../../../src/main/renderer.ts'
import { FakeApi } from '../../build/fake-api.ts'

const hidden = 'do-not-show-me'
let api: FakeApi

beforeEach(() => {
  api = new FakeApi()
  const data = { password: Buffer.from(hidden).toString('base64') }
  api.put(kinds.statefulSets, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'db', namespace: 'app' } })
  api.put(kinds.secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'app' }, type: 'Opaque', data })
  api.put(ownKinds.profiles, {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Profile',
    metadata: { name: 'p', namespace: 'app' },
    location: { type: 's3Compliant', bucket: 'bucket' },
    credential: {
      type: 'keyPair',
      keyPair: { idField: 'password', secretField: 'password', secret: { name: 's', namespace: 'app' } },
    },
  } as never)
})

async function rehearse(actions: Blueprint['actions'], spec: Partial<ActionSpec> = {}): Promise<DryRun> {
  const blueprint = {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'Blueprint',
    metadata: { name: 'b' },
    actions,
  } as unknown as Blueprint
  return dryRun({
    reader: api.kube(),
    renderer: createRenderer(systemClock),
    findFunction: getFunction,
    blueprint,
    action: { name: 'backup', object: { kind: 'StatefulSet', name: 'db', namespace: 'app' }, ...spec },
    moment: { time: '2026-11-21T09:47:27Z', seed: 'ab' },
    signal: new AbortController().signal,
  })
}

test('each phase is shown with what it would get, outputs of earlier ones as marks', async () => {
  const run = await rehearse({
    backup: {
      outputArtifacts: {
        dump: { keyValue: { path: '{{ .Phases.one.Output.path }}', count: '{{ .DeferPhase.Output.originalReplicaCount }}' } },
      },
      phases: [
        { func: 'KubeTask', name: 'one', args: { image: 'i', command: ['dump', '{{ index .StatefulSet.Pods 0 }}'] } },
        { func: 'KubeTask', name: 'two', args: { image: 'i', command: ['use', '{{ .Phases.one.Output.path | upper }}'] } },
      ],
      deferPhase: { func: 'ScaleWorkload', name: 'last', args: { replicas: 1 } },
    },
  })

  expect(run.phases.map((phase) => phase.args?.['command'])).toEqual([
    ['dump', 'db-0'],
    ['use', '<OUTPUT PATH OF PHASE ONE>'],
  ])
  expect(run.deferPhase).toEqual({ name: 'last', func: 'ScaleWorkload', args: { replicas: 1 } })
  expect(run.artifacts).toEqual({
    dump: { keyValue: { path: '<output path of phase one>', count: '<output originalReplicaCount of phase last>' } },
  })
})

test('no template can show a secret', async () => {
  const run = await rehearse(
    {
      backup: {
        phases: [
          {
            func: 'KubeTask',
            name: 'one',
            objects: { mine: { kind: 'Secret', name: 's', namespace: 'app' } },
            args: {
              image: 'i',
              command: [
                '{{ .Phases.one.Secrets.mine.Data.password | toString }}',
                '{{ toJson .Profile }}',
                '{{ toJson .Secrets }}{{ .Profile.Credential.KeyPair.Secret | b64enc | b64dec }}',
              ],
            },
          },
        ],
      },
    },
    { profile: { name: 'p', namespace: 'app' }, secrets: { given: { name: 's', namespace: 'app' } } },
  )

  const shown = JSON.stringify(run)
  expect(run.phases[0]?.args?.['command']).toContain('[secret mine.password]')
  expect(shown).toContain('[secret Profile.Secret]')
  expect(shown).not.toContain(hidden)
  expect(shown).not.toContain(Buffer.from(hidden).toString('base64'))
})

test('a phase that cannot be rendered says why, and the others are shown', async () => {
  const run = await rehearse({
    backup: {
      phases: [
        { func: 'KubeTask', name: 'one', args: { image: '{{ .Options.nope }}', command: ['x'] } },
        { func: 'Nope', name: 'two', args: {} },
        {
          func: 'KubeTask',
          name: 'three',
          objects: { o: { kind: 'Secret', name: 'gone', namespace: 'app' } },
          args: { image: 'i', command: ['x'] },
        },
        { func: 'KubeTask', name: 'four', args: { image: 'i', command: ['x'] } },
      ],
    },
  })

  expect(run.phases.map((phase) => phase.problem)).toEqual([
    expect.stringContaining('"nope" not found'),
    expect.stringContaining('Requested function {Nope}'),
    expect.stringContaining('"gone" not found'),
    undefined,
  ])
})
