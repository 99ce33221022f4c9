import { mkdirSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { copyVolumeData } from '../../../src/functions/copy-volume-data.ts'
import { kinds, type Pod } from '../../../src/kube/kinds.ts'
import { aFunctionContext, runFunction } from '../../build/function-context.ts'
import { aClaim, type LocalDataWorld, useLocalDataWorld } from './data-world.ts'

const world = useLocalDataWorld()

function copyArgs({ folder }: LocalDataWorld): Record<string, unknown> {
  mkdirSync(`${folder}/data`)
  writeFileSync(`${folder}/data/file`, 'kept')
  return {
    namespace: 'app',
    volume: 'data',
    dataArtifactPrefix: 'copy/x',
    mountPath: `${folder}/data`,
    encryptionKey: 'given',
  }
}

/** The application's pod, which has the claim. */
function aUser({ api }: LocalDataWorld): void {
  const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }]
  const spec = { nodeName: 'node-7', containers: [], volumes }
  api.put(kinds.pods, { metadata: { name: 'db-0', namespace: 'app' }, spec, status: { phase: 'Running' } })
}

/** One that waits for its node, and is listed first. */
function aWaitingUser({ api }: LocalDataWorld): void {
  const volumes = [{ name: 'd', persistentVolumeClaim: { claimName: 'data' } }]
  api.put(kinds.pods, {
    metadata: { name: 'a-first', namespace: 'app' },
    spec: { containers: [], volumes },
    status: { phase: 'Pending' },
  })
}

/** The pods of the phase as they were made. */
function jobPods({ api }: LocalDataWorld): Pod[] {
  const made: Pod[] = []
  api.after = ({ verb, resource, name }) => {
    const pod = verb === 'create' && resource === 'pods' ? api.read(kinds.pods, 'app', name) : undefined
    if (pod) made.push(pod)
  }
  return made
}

test('the claim is mounted beside the pod that has it; the outputs say where the data are', async () => {
  const { api, context, exec, folder } = world()
  aClaim(api, 'data')
  aWaitingUser(world())
  aUser(world())
  const made = jobPods(world())

  const outputs = await runFunction(copyVolumeData, context().ctx, copyArgs(world()))

  expect(outputs).toMatchObject({
    backupID: expect.stringMatching(/^[0-9a-f]{8}$/) as string,
    backupTag: expect.stringMatching(/^[0-9a-z]{10}$/) as string,
    fileCount: '1',
    size: '4 B',
    backupRoot: `${folder}/data`,
    backupArtifactLocation: 'b/copy/x',
    version: 'v0.0.0',
  })
  expect(outputs?.['phySize']).toMatch(/^[1-9]/)
  expect(made).toHaveLength(1)
  expect(made[0]?.metadata?.name).toMatch(/^copy-vol-data-/)
  expect(made[0]?.spec?.containers[0]).toMatchObject({
    image: 'holdfast:test',
    volumeMounts: [{ mountPath: `${folder}/data` }],
  })
  expect(JSON.stringify(made[0]?.spec?.affinity)).toContain('"metadata.name","operator":"In","values":["node-7"]')
  expect(new Set(exec.calls.map(({ target }) => target.pod))).toEqual(new Set([made[0]?.metadata?.name]))
  expect(api.all(kinds.pods).map(({ metadata }) => metadata.name)).toEqual(['a-first', 'db-0'])
})

test('a claim that many nodes can mount, or that nobody has, is mounted anywhere', async () => {
  const { api, context } = world()
  aClaim(api, 'data', { accessModes: ['ReadWriteMany'] })
  aUser(world())
  const made = jobPods(world())

  await runFunction(copyVolumeData, context().ctx, copyArgs(world()))

  expect(made.map(({ spec }) => spec?.affinity)).toEqual([undefined])
})

test.each([
  ['for one pod alone that has it', { accessModes: ['ReadWriteOncePod'] }, /pod db-0 has it; scale the application down/],
  ['that is a block device', { volumeMode: 'Block' }, /is a block device and has no files/],
])('a claim %s is refused at once', async (_what, spec, message) => {
  const { api, context } = world()
  aClaim(api, 'data', spec)
  aUser(world())
  const made = jobPods(world())

  await expect(runFunction(copyVolumeData, context().ctx, copyArgs(world()))).rejects.toThrow(message)
  expect(made).toEqual([])
})

test('a claim that is not there is named', async () => {
  const failure = runFunction(copyVolumeData, world().context().ctx, copyArgs(world()))

  await expect(failure).rejects.toThrow('Failed to retrieve PVC. Namespace: app, name: data')
})

test('after a crash the finished snapshot is found, and the pod of the dead attempt removed', async () => {
  const { api, context } = world()
  aClaim(api, 'data')
  const first = context()
  const args = copyArgs(world())
  const outputs = await runFunction(copyVolumeData, first.ctx, args)
  const resumed = first.checkpoints.at(-1)
  // As it was when the process died: the pod still there.
  const left = (resumed as { readonly parts: { readonly pod: { readonly name: string } } }).parts.pod
  const owner = '6f1c2c43-0000-4000-8000-000000000001/0/dump/1'
  api.put(kinds.pods, { metadata: { name: left.name, namespace: 'app', annotations: { 'holdfast.dev/owner': owner } } })

  const again = await runFunction(copyVolumeData, context({ resumed }).ctx, args)

  expect(again).toEqual(outputs)
  expect(api.all(kinds.pods)).toEqual([])
})

test('without a Profile nothing is made', async () => {
  const { api } = world()
  const { ctx } = aFunctionContext({ kube: api.kube() })

  await expect(runFunction(copyVolumeData, ctx, copyArgs(world()))).rejects.toMatchObject({ code: 'FUNCTION_NO_PROFILE' })
})
