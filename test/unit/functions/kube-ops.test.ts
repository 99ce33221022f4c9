import { describe, expect, test } from 'vitest'
import { kubeOps } from '../../../src/functions/kube-ops.ts'
import { parseManifests } from '../../../src/functions/manifests.ts'
import { kubeError } from '../../../src/kube/errors.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import type { PatchOptions } from '../../../src/kube/resource-api.ts'
import { FakeApi } from '../../build/fake-api.ts'
import { aFunctionContext, type ContextParts, type RecordedContext, runFunction } from '../../build/function-context.ts'

/** The fake knows these kinds; a StorageClass lives in no namespace. */
const served = [
  { group: '', version: 'v1', resource: 'configmaps', kind: 'ConfigMap', namespaced: true },
  { group: 'apps', version: 'v1', resource: 'deployments', kind: 'Deployment', namespaced: true },
  { group: 'storage.k8s.io', version: 'v1', resource: 'storageclasses', kind: 'StorageClass', namespaced: false },
]

const discover: Kube['discover'] = async (apiVersion, kind) => {
  const [first = '', second] = apiVersion.split('/')
  const [group, version] = second === undefined ? ['', first] : [first, second]
  const found = served.find(
    (each) => each.group === group && each.version === version && [each.kind, each.resource].includes(kind),
  )
  if (!found) throw kubeError('KUBE_NOT_FOUND', `no kind ${kind} in ${apiVersion}`)
  return found
}

function world(
  parts: Partial<ContextParts> = {},
  api = new FakeApi(),
): { readonly api: FakeApi; readonly recorded: RecordedContext } {
  const kube = { ...api.kube(), discover }
  return { api, recorded: aFunctionContext({ kube, ...parts }) }
}

function configMap(name: string, namespace = '', more = ''): string {
  return `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n${namespace ? `  namespace: ${namespace}\n` : ''}${more}`
}

const reference = { apiVersion: 'v1', resource: 'configmaps', name: 'a', namespace: 'n' }

describe('create', () => {
  test('makes each object of each document and list; a namespace counts for its own document only', async () => {
    const { api, recorded } = world()
    const list = `apiVersion: v1\nkind: List\nitems:\n- ${configMap('c').replaceAll('\n', '\n  ')}`
    const spec = [configMap('a', 'special'), configMap('b'), '# nothing', list].join('\n---\n')

    const outputs = await runFunction(kubeOps, recorded.ctx, { operation: 'create', namespace: 'n', spec })

    expect(api.all(kinds.configMaps).map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual([
      'special/a',
      'n/b',
      'n/c',
    ])
    expect(outputs).toEqual({ apiVersion: 'v1', group: '', resource: 'configmaps', kind: '', name: 'c', namespace: 'n' })
    expect(recorded.checkpoints).toEqual([{ creating: 0 }, { creating: 1 }, { creating: 2 }])
  })

  test("of which the answer was lost meets its own object, and takes nobody else's for it", async () => {
    const { api, recorded } = world()
    const made = { metadata: { name: 'a', namespace: 'n', managedFields: [{ manager: 'kanister-create' }] } }
    api.after = ({ verb }) => {
      if (verb !== 'create') return
      api.put(kinds.configMaps, made)
      throw kubeError('KUBE_ALREADY_EXISTS', 'configmaps "a" already exists', { details: { mayBeOurs: true } })
    }
    const args = { operation: 'create', namespace: 'n', spec: configMap('a') }

    expect(await runFunction(kubeOps, recorded.ctx, args)).toMatchObject({ name: 'a', namespace: 'n' })

    api.remove(kinds.configMaps, 'n', 'a')
    made.metadata.managedFields = [{ manager: 'somebody' }]
    await expect(runFunction(kubeOps, recorded.ctx, args)).rejects.toMatchObject({ code: 'KUBE_ALREADY_EXISTS' })
  })

  test('a cluster-wide object gets no namespace, whatever is written', async () => {
    const { api, recorded } = world()
    const spec = 'apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: s, namespace: x}'

    const outputs = await runFunction(kubeOps, recorded.ctx, { operation: 'create', namespace: 'n', spec })

    expect(outputs).toEqual({ apiVersion: 'v1', group: 'storage.k8s.io', resource: 'storageclasses', kind: '', name: 's' })
    expect(api.writes('storageclasses')).toBe(1)
  })

  test('what exists already is a failure, and a spec without objects makes nothing and says so', async () => {
    const { api, recorded } = world()
    api.put(kinds.configMaps, { metadata: { name: 'a', namespace: 'default' } })

    const failure = runFunction(kubeOps, recorded.ctx, { operation: 'create', spec: configMap('a') })

    await expect(failure).rejects.toMatchObject({ code: 'KUBE_ALREADY_EXISTS' })
    expect(await runFunction(kubeOps, recorded.ctx, { operation: 'create', spec: '# none' })).toBeUndefined()
    expect(recorded.warnings).toHaveLength(1)
  })

  test('an attempt that takes over keeps what the earlier one made, and makes the rest', async () => {
    const { api } = world()
    const managedFields = [{ manager: 'kanister-create' }]
    api.put(kinds.configMaps, { metadata: { name: 'b', namespace: 'default', managedFields } } as never)
    const { recorded } = world({ resumed: { creating: 1 } }, api)
    const spec = [configMap('a'), configMap('b'), configMap('c')].join('\n---\n')

    const outputs = await runFunction(kubeOps, recorded.ctx, { operation: 'create', spec })

    expect(api.all(kinds.configMaps).map(({ metadata }) => metadata.name)).toEqual(['b', 'c'])
    expect(outputs).toMatchObject({ name: 'c' })
  })

  test('after a crash nobody guesses the name that was generated', async () => {
    const { recorded } = world({ resumed: { creating: 0 } })
    const spec = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {generateName: x-}'

    const failure = runFunction(kubeOps, recorded.ctx, { operation: 'create', spec })

    await expect(failure).rejects.toMatchObject({ code: 'FUNCTION_INTERRUPTED' })
  })
})

describe('delete', () => {
  test('removes the object and says which', async () => {
    const { api, recorded } = world()
    api.put(kinds.configMaps, { metadata: { name: 'a', namespace: 'n' } })

    const outputs = await runFunction(kubeOps, recorded.ctx, { operation: 'delete', objectReference: reference })

    expect(api.all(kinds.configMaps)).toEqual([])
    expect(outputs).toEqual({ apiVersion: 'v1', group: '', resource: 'configmaps', kind: '', name: 'a', namespace: 'n' })
  })

  test('what is not there is a failure, unless that is in order or an earlier attempt deleted it', async () => {
    const args = { operation: 'delete', objectReference: reference }

    await expect(runFunction(kubeOps, world().recorded.ctx, args)).rejects.toThrow(/configmaps "a" not found/)
    expect(await runFunction(kubeOps, world().recorded.ctx, { ...args, ignoreNotFound: 'true' })).toMatchObject({ name: 'a' })
    expect(await runFunction(kubeOps, world({ resumed: { deleting: 'u' } }).recorded.ctx, args)).toMatchObject({ name: 'a' })
  })

  test('an object that does not go is named with its finalizers when the time is over', async () => {
    const { api, recorded } = world()
    const object = { metadata: { name: 'a', namespace: 'n', uid: 'u', finalizers: ['x.io/slow'] } }
    api.put(kinds.configMaps, object)
    api.after = ({ verb }) => void (verb === 'delete' && api.put(kinds.configMaps, object))

    const failure = runFunction(kubeOps, recorded.ctx, { operation: 'delete', objectReference: reference, timeout: '150ms' })

    await expect(failure).rejects.toThrow(/was not gone after 0.15 s: .*x\.io\/slow/)
  })
})

describe('patch', () => {
  test('is strategic, and a merge where the server does not take that', async () => {
    const { api, recorded } = world()
    api.put(kinds.configMaps, { metadata: { name: 'a', namespace: 'default' }, data: { k: '1' } })
    const types: (string | undefined)[] = []
    const { kube } = recorded.ctx
    const resource = ((def: Parameters<Kube['resource']>[0]) => {
      const real = kube.resource(def)
      const patch = async (key: never, body: never, options: PatchOptions): Promise<unknown> => {
        types.push(options.type)
        if (options.type === 'strategic') throw kubeError('KUBE_INVALID', 'unsupported', { details: { status: 415 } })
        return await real.patch(key, body, options)
      }
      return { ...real, patch }
    }) as unknown as Kube['resource']
    const { ctx } = aFunctionContext({ kube: { ...kube, resource, discover } })

    await runFunction(kubeOps, ctx, {
      operation: 'patch',
      objectReference: { apiVersion: 'v1', resource: 'configmaps', name: 'a' },
      spec: 'data: {l: "2"}',
    })

    expect(types).toEqual(['strategic', 'merge'])
    expect(api.read(kinds.configMaps, 'default', 'a')).toMatchObject({ data: { k: '1', l: '2' } })
  })

  test('a JSON Patch is not applied twice', async () => {
    const { recorded } = world({ resumed: { patching: true } })
    const spec = '[{op: add, path: /data/k, value: x}]'
    const args = { operation: 'patch', objectReference: reference, spec, patchType: 'json' }

    await expect(runFunction(kubeOps, recorded.ctx, args)).rejects.toMatchObject({ code: 'FUNCTION_INTERRUPTED' })
  })
})

test.each([
  [{ operation: 'Create', spec: 'x' }, /invalid operation 'Create'/],
  [{ operation: 'create' }, /needs spec/],
  [{ operation: 'delete' }, /needs objectReference/],
  [{ operation: 'patch', spec: '{}', objectReference: { name: 'a' } }, /lacks apiVersion; objectReference lacks resource/],
])('%j is refused', async (args, message) => {
  await expect(runFunction(kubeOps, world().recorded.ctx, args)).rejects.toThrow(message)
})

describe('a spec', () => {
  test('is read as kubectl reads it', () => {
    const spec =
      'apiVersion: v1\nkind: X\nmode: 0644\nold: yes\ntime: 2024-01-01T00:00:00Z\nport: 22:22\ntext: "yes"\nbig: 1_000\ntwice: 1\ntwice: 2'

    expect(parseManifests(spec)).toEqual([
      {
        apiVersion: 'v1',
        kind: 'X',
        mode: 420,
        old: true,
        time: '2024-01-01T00:00:00Z',
        port: '22:22',
        text: 'yes',
        big: 1000,
        twice: 2,
      },
    ])
    expect(parseManifests('{"apiVersion": "v1", "kind": "X"}')).toEqual([{ apiVersion: 'v1', kind: 'X' }])
    expect(parseManifests('')).toEqual([])
  })

  test('a fault is placed and not quoted', () => {
    expect(() => parseManifests('apiVersion: v1\npassword: hunter2: x')).toThrow(/line 2/)
    expect(() => parseManifests('apiVersion: v1\npassword: hunter2: x')).not.toThrow(/hunter2/)
    expect(() => parseManifests('just text')).toThrow(/no object of Kubernetes/)
    expect(() => parseManifests('kind: X')).toThrow(/needs apiVersion and kind/)
  })
})
