import { describe, expect, it } from 'vitest'
import { createKube } from '../../../src/kube/open.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { parseEndpoint } from '../../../src/kube/kubeconfig.ts'
import { readFile } from 'node:fs/promises'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { useKube } from './kube-fixture.ts'

const world = useWorld()
const namespace = useNamespace(world)
const kube = useKube(world)

describe('objects of a real API server', () => {
  it('are created, read, patched, replaced, listed page by page and deleted', async () => {
    const api = kube().resource(kinds.configMaps)
    for (let i = 0; i < 5; i++)
      await api.create({ metadata: { name: `m${i}`, namespace, labels: { set: 'a' } }, data: { i: `${i}` } })

    const patched = await api.patch({ namespace, name: 'm1' }, { data: { more: 'x' } })
    const stale = await api.get({ namespace, name: 'm1' })
    await api.update({ namespace, name: 'm1' }, (object) => ({ ...object, data: { only: 'this' } }))
    const pages: number[] = []
    for await (const page of api.pages({ namespace, labelSelector: 'set=a', pageSize: 2 })) pages.push(page.items.length)

    expect(patched.data).toEqual({ i: '1', more: 'x' })
    expect((await api.get({ namespace, name: 'm1' })).data).toEqual({ only: 'this' })
    expect(pages).toEqual([2, 2, 1])
    await expect(api.replace({ ...stale, data: {} })).rejects.toMatchObject({ code: 'KUBE_CONFLICT' })
    await expect(api.create({ metadata: { name: 'm1', namespace } })).rejects.toMatchObject({ code: 'KUBE_ALREADY_EXISTS' })
    await expect(api.delete({ namespace, name: 'm1' }, { uid: 'other' })).rejects.toMatchObject({ code: 'KUBE_CONFLICT' })
    await api.delete({ namespace, name: 'm1' })
    await api.delete({ namespace, name: 'm1' })
    expect(await api.find({ namespace, name: 'm1' })).toBeUndefined()
    await expect(api.delete({ namespace, name: '' })).rejects.toMatchObject({ code: 'KUBE_INVALID' })
  })

  it('are applied by a field manager', async () => {
    const api = kube().resource(kinds.configMaps)
    const object = { metadata: { name: 'applied', namespace }, data: { a: '1' } }

    await api.patch({ namespace, name: 'applied' }, object, { type: 'apply', fieldManager: 'test' })
    const again = await api.patch(
      { namespace, name: 'applied' },
      { ...object, data: { b: '2' } },
      { type: 'apply', fieldManager: 'test' },
    )

    expect(again.data).toEqual({ b: '2' })
  })

  it('are found by kind', async () => {
    expect(await kube().discover('apps/v1', 'StatefulSet')).toMatchObject({ resource: 'statefulsets', namespaced: true })
    expect(await kube().discover('v1', 'Namespace')).toMatchObject({ resource: 'namespaces', namespaced: false })
    await expect(kube().discover('no.such/v1', 'Thing')).rejects.toMatchObject({ code: 'KUBE_NOT_FOUND' })
  })

  it('are refused with the rule that is missing', async () => {
    await world().kubectl(['create', 'serviceaccount', 'nobody', '-n', namespace])
    const token = (await world().kubectl(['create', 'token', 'nobody', '-n', namespace])).trim()
    const endpoint = await parseEndpoint(await readFile(world().kubeconfig, 'utf8'))
    const { cert: _cert, key: _key, ...tls } = endpoint.tls
    const credentials = { current: () => Promise.resolve({ authorization: `Bearer ${token}` }), refused: () => false }
    const weak = createKube({ ...endpoint, tls, credentials })

    await expect(weak.resource(kinds.statefulSets).list({ namespace })).rejects.toMatchObject({
      code: 'KUBE_FORBIDDEN',
      message: expect.stringContaining('{apiGroups: ["apps"], resources: ["statefulsets"], verbs: ["list"]}') as string,
    })
    await expect(weak.exec.capture({ namespace, pod: 'p', container: 'c' }, ['x'])).rejects.toMatchObject({
      code: 'KUBE_FORBIDDEN',
      message: expect.stringContaining('resources: ["pods/exec"]') as string,
    })
    await weak.close()
  })

  it('are followed by an informer', async () => {
    const api = kube().resource(kinds.secrets)
    await api.create({ metadata: { name: 'before', namespace } })
    const changes: string[] = []
    const informer = kube().informer(kinds.secrets, { namespace, fieldSelector: 'type=Opaque' })
    informer.onChange((key, object) => changes.push(`${key} ${object ? 'is' : 'gone'}`))
    await informer.synced

    await api.create({ metadata: { name: 'after', namespace } })
    await api.delete({ namespace, name: 'before' })
    await expect.poll(() => changes.length).toBe(3)

    expect(changes).toEqual([`${namespace}/before is`, `${namespace}/after is`, `${namespace}/before gone`])
    expect(informer.list(namespace).map((object) => object.metadata.name)).toEqual(['after'])
    expect(informer.get(namespace, 'after')?.metadata).not.toHaveProperty('managedFields')
    await informer.close()
  })

  it('tell Events about themselves', async () => {
    const sink = kube().eventSink('holdfast-test')

    for (let i = 0; i < 3; i++)
      sink.send(
        { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'm0' },
        { type: 'Normal', reason: 'Tested', message: 'all is well' },
      )
    await sink.flush()

    const { items } = await kube().resource(kinds.events).list({ namespace, fieldSelector: 'involvedObject.name=m0' })
    expect(items.map(({ reason, message, count, source }) => ({ reason, message, count, source }))).toEqual([
      { reason: 'Tested', message: 'all is well', count: 3, source: { component: 'holdfast-test' } },
    ])
    expect(sink.dropped).toBe(0)
  })
})

describe('leases of a real API server', () => {
  const lease = { namespace, name: 'l', durationMs: 15_000 }

  it('are held by one, renewed, and free after release', async () => {
    const first = await kube().leases.tryAcquire({ ...lease, holder: 'a' })
    await expect(kube().leases.tryAcquire({ ...lease, holder: 'b' })).rejects.toMatchObject({
      code: 'KUBE_LEASE_HELD',
      message: expect.stringContaining('is held by a') as string,
    })
    const taking = kube().leases.acquire({ ...lease, holder: 'b' }, { signal: AbortSignal.timeout(60_000) })

    await expect.poll(async () => (await kube().resource(kinds.leases).get(lease)).spec?.renewTime).not.toBe(undefined)
    expect(first.signal.aborted).toBe(false)
    await first.release()
    const second = await taking

    expect(second.fence).toBe(first.fence + 1)
    await second.release()
  })

  it('that another took abort the work under them', async () => {
    const held = await kube().leases.tryAcquire({ ...lease, holder: 'a', renewMs: 200 })
    await kube()
      .resource(kinds.leases)
      .update(lease, (object) => ({ ...object, spec: { ...object.spec, holderIdentity: 'thief', leaseTransitions: 99 } }))

    await expect.poll(() => held.signal.aborted).toBe(true)

    expect(held.signal.reason).toMatchObject({ code: 'KUBE_LEASE_LOST' })
    await held.release()
    expect((await kube().resource(kinds.leases).get(lease)).spec?.holderIdentity).toBe('thief')
  })

  it('of a holder that vanished are taken over when they have run out', async () => {
    const short = { ...lease, name: 'm', durationMs: 3_000 }
    const held = await kube().leases.tryAcquire({ ...short, holder: 'a', renewMs: 60_000 })

    const taken = await kube().leases.acquire({ ...short, holder: 'b' }, { signal: AbortSignal.timeout(60_000) })

    expect(held.signal.aborted).toBe(true)
    expect(taken.fence).toBe(held.fence + 1)
    await taken.release()
  })
})
