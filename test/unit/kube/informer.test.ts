import type { ServerResponse } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { FakeApi, sendJson, sendStatus, until } from './fake-api.ts'

let api: FakeApi
let kube: Kube
/** What the collection holds, by name: resourceVersion. */
let objects: Map<string, string>
let watches: ServerResponse[]
/** Faults of the next requests, first in first out. */
let faults: number[]

beforeEach(async () => {
  api = await FakeApi.start()
  kube = api.kube()
  objects = new Map([['a', '1']])
  watches = []
  faults = []
  api.answer = ({ query }, response) => {
    const fault = faults.shift()
    if (fault) return sendStatus(response, fault, { message: 'a fault of the test' })
    if (!query.has('watch'))
      return sendJson(response, { metadata: { resourceVersion: '10' }, items: [...objects.keys()].map(anObject) })
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    watches.push(response)
  }
})

afterEach(async () => {
  await kube.close()
  await api[Symbol.asyncDispose]()
})

function anObject(name: string): object {
  return { metadata: { name, namespace: 'n', resourceVersion: objects.get(name), managedFields: [{}] }, data: { x: 'y' } }
}

function tell(type: string, object: object): void {
  watches.at(-1)?.write(`${JSON.stringify({ type, object })}\n`)
}

function change(name: string, version: string): void {
  objects.set(name, version)
  tell('MODIFIED', anObject(name))
}

describe('an informer', () => {
  it('holds what there is and follows what changes', async () => {
    const informer = kube.informer(kinds.configMaps, { namespace: 'n' })
    const seen: string[] = []
    informer.onChange((key, object, before) =>
      seen.push(`${key} ${before?.metadata.resourceVersion} ${object?.metadata.resourceVersion}`),
    )
    await informer.synced
    await until(() => watches.length === 1)

    change('a', '11')
    change('b', '12')
    tell('DELETED', anObject('a'))
    await until(() => seen.length === 4)

    expect(seen).toEqual(['n/a undefined 1', 'n/a 1 11', 'n/b undefined 12', 'n/a 11 undefined'])
    expect(informer.list().map((object) => object.metadata.name)).toEqual(['b'])
  })

  it('goes on after a failed list, a failed watch and a cut watch', async () => {
    faults = [500, 403]
    const errors: unknown[] = []
    const informer = kube.informer(kinds.configMaps, { namespace: 'n', onError: (error) => errors.push(error) })
    await informer.synced
    await until(() => watches.length === 1)
    faults = [500]
    watches[0]?.destroy()
    await until(() => watches.length === 2)

    change('b', '20')

    await until(() => informer.get('n', 'b') !== undefined)
    expect(errors.length).toBeGreaterThanOrEqual(3)
    expect(api.requests.filter(({ query }) => !query.has('watch'))).toHaveLength(3)
  })

  it('goes on from the last bookmark when the server ends a watch', async () => {
    const informer = kube.informer(kinds.configMaps, { namespace: 'n' })
    await informer.synced
    await until(() => watches.length === 1)

    tell('BOOKMARK', { metadata: { resourceVersion: '50' } })
    watches[0]?.end()
    await until(() => watches.length === 2)

    expect(api.requests.map(({ query }) => query.get('resourceVersion'))).toEqual([null, '10', '50'])
  })

  it('asks for watches of half a minute, which follow each other on one connection', async () => {
    const informer = kube.informer(kinds.configMaps, { namespace: 'n' })
    await informer.synced
    await until(() => watches.length === 1)
    const before = api.connections

    for (let each = 1; each <= 3; each++) {
      tell('BOOKMARK', { metadata: { resourceVersion: String(50 + each) } })
      watches.at(-1)?.end()
      await until(() => watches.length === each + 1)
    }

    expect(api.connections).toBe(before)
    expect(api.requests.at(-1)?.query.get('timeoutSeconds')).toBe('30')
  })

  it('lists anew when its version is too old, and notices what went missing', async () => {
    const informer = kube.informer(kinds.configMaps, { namespace: 'n' })
    const gone: string[] = []
    await informer.synced
    informer.onChange((key, object) => void (object === undefined && gone.push(key)))
    await until(() => watches.length === 1)
    objects = new Map([['c', '30']])

    tell('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' })

    await until(() => informer.get('n', 'c') !== undefined)
    expect(gone).toEqual(['n/a'])
  })

  it('is not harmed by a handler that throws', async () => {
    const errors: unknown[] = []
    const informer = kube.informer(kinds.configMaps, { namespace: 'n', onError: (error) => errors.push(error) })
    const seen: string[] = []
    informer.onChange(() => {
      throw new Error('a defect')
    })
    informer.onChange((key) => seen.push(key))
    await informer.synced
    await until(() => watches.length === 1)

    change('b', '11')

    await until(() => seen.length === 2)
    expect(errors).toHaveLength(2)
  })

  it('keeps frozen objects, without managedFields, and only what is projected', async () => {
    const project = <T extends object>(object: T): T => ({ ...object, data: undefined })
    const informer = kube.informer(kinds.configMaps, { namespace: 'n', project })
    await informer.synced

    const object = informer.get('n', 'a')

    expect(object).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      data: undefined,
      metadata: { name: 'a', namespace: 'n', resourceVersion: '1' },
    })
    expect(Object.isFrozen(object?.metadata)).toBe(true)
  })

  it('keeps what cannot be projected whole, and everything else with it', async () => {
    objects.set('strange', '2')
    const project = <T extends { readonly metadata: { readonly name: string } }>(object: T): T => {
      if (object.metadata.name === 'strange') throw new TypeError('there is nothing to read')
      return { ...object, data: undefined }
    }
    const errors: unknown[] = []
    const informer = kube.informer(kinds.configMaps, { namespace: 'n', project, onError: (error) => errors.push(error) })

    await informer.synced
    await until(() => watches.length === 1)
    change('strange', '11')
    await until(() => informer.get('n', 'strange')?.metadata.resourceVersion === '11')

    expect(informer.get('n', 'strange')?.data).toEqual({ x: 'y' })
    expect(informer.get('n', 'a')?.data).toBeUndefined()
    expect(errors).toHaveLength(2)
  })

  it('announces nothing twice when a list brings what is known', async () => {
    const informer = kube.informer(kinds.configMaps, { namespace: 'n' })
    const seen: string[] = []
    informer.onChange((key) => seen.push(key))
    await informer.synced
    await until(() => watches.length === 1)

    tell('ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' })
    await until(() => watches.length === 2)

    expect(seen).toEqual(['n/a'])
  })

  it('ends its watch when it is closed', async () => {
    const informer = kube.informer(kinds.configMaps, { namespace: 'n' })
    await informer.synced
    await until(() => watches.length === 1)

    await informer.close()

    await until(() => watches[0]?.destroyed === true)
    expect(api.requests).toHaveLength(2)
  })
})

describe('waiting for an object', () => {
  it('ends with what the condition returns', async () => {
    const waiting = kube.waitFor(
      kinds.configMaps,
      { namespace: 'n', name: 'a' },
      (object) => (object?.metadata.resourceVersion === '12' ? 'yes' : undefined),
      {
        timeoutMs: 10_000,
        what: 'to be 12',
      },
    )
    await until(() => watches.length === 1)
    change('a', '11')
    change('a', '12')

    expect(await waiting).toBe('yes')
    expect(api.requests[0]?.query.get('fieldSelector')).toBe('metadata.name=a')
  })

  it('ends in time, naming object and condition', async () => {
    const options = { timeoutMs: 30, what: 'to be Bound' }

    await expect(kube.waitFor(kinds.configMaps, { namespace: 'n', name: 'a' }, () => undefined, options)).rejects.toMatchObject(
      {
        code: 'KUBE_TIMEOUT',
        message: 'waited 0.03 s for configmaps "a" to be Bound',
      },
    )
  })

  it('ends at once when there is no right to watch', async () => {
    faults = [403]

    const waiting = kube.waitFor(kinds.configMaps, { namespace: 'n', name: 'a' }, () => undefined, {
      timeoutMs: 10_000,
      what: 'x',
    })

    await expect(waiting).rejects.toMatchObject({ code: 'KUBE_FORBIDDEN' })
  })
})
