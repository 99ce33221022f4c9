import { readFileSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'

const world = useWorld()
/** No engine acts here, so what is written stays as it is. */
const namespace = useNamespace(world, 'crds')
const crds = resolve(import.meta.dirname, '../../../crds')

beforeAll(async () => {
  for (const file of readdirSync(crds)) {
    await world().kubectl(['apply', '--server-side', '--force-conflicts', '-f', join(crds, file)])
  }
  await world().kubectl([
    'wait',
    '--for=condition=Established',
    'crd/actionsets.cr.kanister.io',
    'crd/blueprints.cr.kanister.io',
    '--timeout=60s',
  ])
})

describe('the CRDs on a real API server', () => {
  test('an ActionSet is created with its status in one write', async () => {
    await create({
      ...actionSet('restored'),
      status: { state: 'complete', actions: [{ name: 'backup' }], error: { message: '' } },
    })

    expect(await read('actionset', 'restored')).toMatchObject({ status: { state: 'complete', actions: [{ name: 'backup' }] } })
  })

  test('kubectl shows the columns that Kanister shows', async () => {
    const table = await world().kubectl(['get', 'actionset', '-n', namespace, 'restored'])

    expect(
      table
        .split('\n')[0]
        ?.trim()
        .split(/\s{2,}/),
    ).toEqual([
      'NAME',
      'PROGRESS',
      'SIZEDOWNLOADEDB',
      'SIZEUPLOADEDB',
      'ESTIMATEDDOWNLOADSIZEB',
      'ESTIMATEDUPLOADSIZEB',
      'RUNNING PHASE',
      'LAST TRANSITION TIME',
      'STATE',
    ])
  })

  test('unknown fields are dropped, free ones are kept', async () => {
    const spec = {
      actions: [
        { name: 'backup', blueprint: 'b', surprise: 1, podOverride: { anything: { goes: true } }, options: { a: 'b' } },
      ],
    }
    await create({ ...actionSet('pruned'), spec }, ['--validate=false'])

    expect(await read('actionset', 'pruned')).toMatchObject({
      spec: { actions: [{ name: 'backup', blueprint: 'b', podOverride: { anything: { goes: true } }, options: { a: 'b' } }] },
    })
    expect(JSON.stringify(await read('actionset', 'pruned'))).not.toContain('surprise')
  })

  test('a Blueprint of 2018 passes strictly: arguments as a list, type beside phases', async () => {
    await create(
      blueprint('old', {
        backup: { type: 'StatefulSet', phases: [{ func: 'KubeExec', name: 'p', args: ['ns', 'pod', 'c', 'true'] }] },
      }),
    )
    await create(
      blueprint('new', {
        backup: {
          kind: 'StatefulSet',
          phases: [{ func: 'KubeExec', name: 'p', args: { command: ['true'], deep: { er: 1 } } }],
        },
      }),
    )

    expect(await read('blueprint', 'old')).toMatchObject({
      actions: { backup: { phases: [{ args: ['ns', 'pod', 'c', 'true'] }] } },
    })
    expect(await read('blueprint', 'new')).toMatchObject({ actions: { backup: { phases: [{ args: { deep: { er: 1 } } }] } } })
  })

  test.each([
    ['actions that are no map', { actions: 5 }, /actions/],
    ['a template language that does not exist', { templateLanguage: 'Jinja', actions: {} }, /templateLanguage/],
  ])('a Blueprint with %s is refused', async (_name, body, wanted) => {
    await expect(create({ ...blueprint('wrong', {}), ...body })).rejects.toThrow(wanted)
  })

  test('every Blueprint that we ship is accepted strictly', async () => {
    const folder = resolve(import.meta.dirname, '../../../blueprints/postgresql')
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.yaml'))) {
      await world().kubectl(['create', '-n', namespace, '--validate=strict', '-f', '-'], {
        input: readFileSync(join(folder, file), 'utf8'),
      })
    }

    expect(await world().kubectl(['get', 'blueprints', '-n', namespace, '-o', 'name'])).toContain('postgresql-files')
  })
})

function actionSet(name: string): Record<string, unknown> {
  return {
    apiVersion: 'cr.kanister.io/v1alpha1',
    kind: 'ActionSet',
    metadata: { name },
    spec: { actions: [{ name: 'backup' }] },
  }
}

function blueprint(name: string, actions: unknown): Record<string, unknown> {
  return { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Blueprint', metadata: { name }, actions }
}

async function create(object: unknown, flags: readonly string[] = ['--validate=strict']): Promise<void> {
  await world().kubectl(['create', '-n', namespace, ...flags, '-f', '-'], { input: JSON.stringify(object) })
}

async function read(kind: string, name: string): Promise<unknown> {
  return JSON.parse(await world().kubectl(['get', kind, '-n', namespace, name, '-o', 'json']))
}
