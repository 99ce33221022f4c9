import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { ensureEngineImage } from '../../harness/images/engine-image.ts'
import { harnessFolders } from '../../harness/machine/folders.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { apply, shellIn } from '../../harness/world/objects.ts'

const world = useWorld()
const namespace = useNamespace(world)

const deploy = resolve(import.meta.dirname, '../../../deploy')

/** As much of the rendered objects as is looked at. */
interface Rendered {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly volumes: readonly { readonly name: string }[]
        readonly securityContext: object
        readonly containers: readonly {
          readonly image: string
          readonly securityContext: object
          readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[]
        }[]
      }
    }
  }
}

let objects: readonly Rendered[]
beforeAll(async () => {
  // An overlay as somebody else has it, somewhere else.
  const overlay = mkdtempSync(join(realpathSync(tmpdir()), 'holdfast-overlay-'))
  try {
    const base = relative(overlay, deploy)
    writeFileSync(join(overlay, 'kustomization.yaml'), `resources: ["${base}"]\ncomponents: ["${base}/filestore"]\n`)
    const text = await world().kubectl(['kustomize', overlay])
    objects = parseAllDocuments(text, { version: '1.1' }).map((document) => document.toJS() as Rendered)
  } finally {
    rmSync(overlay, { recursive: true })
  }
})

const named = (kind: string, name: string): Rendered | undefined =>
  objects.find((object) => object.kind === kind && object.metadata.name === name)

test('the overlay mounts the volume in operator and workers, and leaves all else as it is installed', () => {
  for (const [kind, name] of [
    ['Deployment', 'holdfast-operator'],
    ['StatefulSet', 'holdfast-worker'],
  ] as const) {
    const pod = named(kind, name)?.spec.template.spec
    expect(pod?.volumes).toContainEqual({ name: 'nfs-1', persistentVolumeClaim: { claimName: 'filestore-nfs-1' } })
    expect(pod?.containers[0]?.volumeMounts).toContainEqual({ name: 'nfs-1', mountPath: '/filestores/nfs-1' })
    expect(pod?.volumes).toContainEqual({ name: 'tmp', emptyDir: {} })
  }
  expect(named('PersistentVolumeClaim', 'filestore-nfs-1')?.metadata.namespace).toBe('holdfast')
  expect(named('Deployment', 'holdfast-redis')?.spec.template.spec.volumes).toHaveLength(1)
})

test('a pod with the rights of a worker writes, reads and deletes on the volume, once it is marked as one', async () => {
  const image = await ensureEngineImage(harnessFolders())
  const worker = named('StatefulSet', 'holdfast-worker')?.spec.template.spec
  const [container] = worker?.containers ?? []
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '16Mi' } } }
  await apply(
    world(),
    namespace,
    { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'filestore-nfs-1' }, spec: claim },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'worker' },
      spec: {
        terminationGracePeriodSeconds: 0,
        automountServiceAccountToken: false,
        securityContext: worker?.securityContext,
        volumes: worker?.volumes,
        containers: [
          {
            name: 'worker',
            image: image.name,
            imagePullPolicy: 'IfNotPresent',
            command: ['sleep', 'infinity'],
            securityContext: container?.securityContext,
            volumeMounts: container?.volumeMounts,
          },
        ],
      },
    },
  )
  await world().kubectl(['wait', '-n', namespace, 'pod/worker', '--for=condition=Ready', '--timeout=120s'])
  const run = (script: string): Promise<string> => shellIn(world(), namespace, 'worker', script)
  const profile = JSON.stringify({ Location: { type: 'filestore', bucket: 'nfs-1', prefix: 'team' } })
  const at = `-p '${profile}' -s dumps/one`

  expect(await run(`echo dump | kando location push - ${at} 2>&1; echo " $?"`)).toMatch(/\.holdfast-filestore[\s\S]* 69\n?$/)
  await run('touch /filestores/nfs-1/.holdfast-filestore')
  await run(`echo dump | kando location push - ${at}`)

  expect(await run(`kando location pull - ${at}`)).toBe('dump\n')
  expect(await run('cd /filestores/nfs-1 && find team -type f | sort')).toBe(
    'team/dumps/one\nteam/dumps/one.holdfast-manifest.json\n',
  )
  await run(`kando location delete ${at}`)
  expect(await run('cd /filestores/nfs-1 && find . -name "one*"')).toBe('')
})
