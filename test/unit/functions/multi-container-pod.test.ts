import { describe, expect, test } from 'vitest'
import { expandAlias, type MultiContainerArgs, planMultiContainerPod } from '../../../src/functions/multi-container-pod.ts'
import { secretValuesOf } from '../../../src/functions/secret-values.ts'
import { aRunIdentity, anEngine, podSettings } from '../../build/run-identity.ts'

const args: MultiContainerArgs = {
  initImage: 'i',
  initCommand: ['mkfifo', '/tmp/data'],
  backgroundImage: 'b',
  backgroundCommand: ['dump'],
  outputImage: 'o',
  outputCommand: ['push'],
  sharedVolumeMedium: 'Memory',
  sharedVolumeSizeLimit: '1Gi',
  sharedVolumeDir: '/tmp/',
}
const place = { namespace: 'app', name: 'kanister-job-x' }
const surroundings = { run: aRunIdentity(), pods: podSettings(), engine: anEngine() }
const noSecrets = secretValuesOf({})
const mount = { name: 'shared', mountPath: '/tmp/' }

describe('the pod of MultiContainerRun', () => {
  test('has output first, then background, after init, and one volume for all', () => {
    const { pod, files, exposed } = planMultiContainerPod(args, place, noSecrets, surroundings)

    expect(pod.spec).toEqual({
      restartPolicy: 'Never',
      activeDeadlineSeconds: 86_400,
      initContainers: [{ name: 'init', image: 'i', command: ['mkfifo', '/tmp/data'], volumeMounts: [mount] }],
      containers: [
        { name: 'output', image: 'o', command: ['push'], volumeMounts: [mount] },
        { name: 'background', image: 'b', command: ['dump'], volumeMounts: [mount] },
      ],
      volumes: [{ name: 'shared', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }],
    })
    expect(pod.metadata?.annotations).toMatchObject({ 'kubectl.kubernetes.io/default-container': 'output' })
    expect([files, exposed]).toEqual([{}, false])
  })

  test('without an init image there is no init container, and createdBy stays kanister', () => {
    const labels = { createdBy: 'me', a: '1' }
    const given = { ...args, initImage: '', podLabels: { createdBy: 'you', b: '2' } }

    const { pod } = planMultiContainerPod(given, place, noSecrets, { ...surroundings, pods: podSettings({ labels }) })

    expect(pod.spec).not.toHaveProperty('initContainers')
    expect(pod.metadata?.labels).toMatchObject({ createdBy: 'kanister', a: '1', b: '2' })
  })

  test('scripts with secrets go into files of their own, one Secret for all', () => {
    const secrets = secretValuesOf({ Secrets: { db: { data: { password: Buffer.from('hunter2').toString('base64') } } } })
    const script = (what: string): string[] => ['sh', '-c', `${what} hunter2`]
    const given = { ...args, backgroundCommand: script('dump'), outputCommand: script('push') }

    const { pod, files, exposed } = planMultiContainerPod(given, place, secrets, surroundings)

    expect(files).toEqual({ 'background-script': 'dump hunter2', 'output-script': 'push hunter2' })
    expect(exposed).toBe(false)
    expect(JSON.stringify(pod)).not.toContain('hunter2')
    expect(pod.spec?.containers.map(({ command }) => command?.at(-1))).toEqual([
      '. /run/holdfast/script/output-script',
      '. /run/holdfast/script/background-script',
    ])
    expect(pod.spec?.volumes).toContainEqual({ name: 'holdfast-files', secret: { secretName: place.name, defaultMode: 0o444 } })
  })

  test('an override of `container` counts for all that are not named, and the override stays as it is', () => {
    const resources = { limits: { cpu: '1' } }
    const override = {
      containers: [
        { name: 'container', resources },
        { name: 'output', tty: true },
      ],
    }
    const before = structuredClone(override)

    const { pod } = planMultiContainerPod(args, place, noSecrets, { ...surroundings, pods: podSettings({ override }) })

    expect(pod.spec?.containers).toMatchObject([
      { name: 'output', tty: true },
      { name: 'background', image: 'b', resources },
    ])
    expect(pod.spec?.containers[0]).not.toHaveProperty('resources')
    expect(pod.spec?.initContainers).toMatchObject([{ name: 'init', image: 'i', resources }])
    expect(override).toEqual(before)
  })
})

test('the alias makes no init container where there is none', () => {
  expect(expandAlias({ containers: [{ name: 'container', tty: true }] }, false)).toEqual({
    containers: [
      { name: 'output', tty: true },
      { name: 'background', tty: true },
    ],
  })
})
