import { afterEach, expect, test } from 'vitest'
import type { BlueprintAction } from '../../../src/api/blueprint.ts'
import { phaseFunctions } from '../../../src/functions/registry.ts'
import { lintBlueprintText } from '../../../src/lint/lint.ts'
import { apply, type KubeObject, waitRolledOut } from '../../harness/world/objects.ts'
import { type Holdfast, useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace } = installation
const running: Holdfast[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.kill()))
})

const marker = (key: string, value: string): string => `printf '###Phase-output###: {"key":"${key}","value":"%s"}\\n' ${value}`

/** As Blueprints of 2018 were written: arguments in a list, `type` beside the phases. */
function actionOf2018(image: string): BlueprintAction {
  const workload = '{{ .StatefulSet.Namespace }}'
  return {
    type: 'StatefulSet',
    phases: [
      {
        func: 'KubeExec',
        name: 'one',
        args: [workload, '{{ index .StatefulSet.Pods 0 }}', 'main', 'sh', '-c', marker('pod', '"$(hostname)"')],
      },
      {
        func: 'KubeExecAll',
        name: 'all',
        args: [workload, '{{ join " " .StatefulSet.Pods }}', 'main', 'sh', '-c', 'hostname > /data/seen'],
      },
      {
        func: 'KubeTask',
        name: 'task',
        args: [workload, image, 'sh', '-c', marker('word', '"{{ .Phases.one.Output.pod }}!"')],
      },
      {
        func: 'PrepareData',
        name: 'look',
        args: [workload, image, 'sh', '-c', marker('seen', '"$(cat /mnt/prepare_data/data-old-0/seen)"')],
      },
    ],
    outputArtifacts: {
      result: { keyValue: { word: '{{ .Phases.task.Output.word }}', seen: '{{ .Phases.look.Output.seen }}' } },
    },
  } as BlueprintAction
}

function statefulSet(image: string): KubeObject {
  const labels = { app: 'old' }
  const volumeMounts = [{ name: 'data', mountPath: '/data' }]
  const container = { name: 'main', image, imagePullPolicy: 'IfNotPresent', command: ['sleep', 'infinity'], volumeMounts }
  const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Mi' } } }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'old' },
    spec: {
      serviceName: 'old',
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim }],
    },
  }
}

test('a Blueprint of 2018 passes lint and runs: arguments in a list, the type beside the phases', async () => {
  const image = await installation.world().image('debian')
  await apply(installation.world(), namespace, statefulSet(image))
  await waitRolledOut(installation.world(), namespace, 'statefulset/old')
  const actions = { backup: actionOf2018(image) }
  const blueprint = { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Blueprint', metadata: { name: 'bp' }, actions }
  await installation.blueprint(actions)
  running.push(await installation.start('run', 'positional'))

  const object = { kind: 'StatefulSet', name: 'old', namespace }
  await installation.create([{ name: 'backup', blueprint: 'bp', object }])
  const { status } = await installation.ended('complete')

  const errors = lintBlueprintText(JSON.stringify(blueprint)).filter(({ severity }) => severity === 'error')
  expect(errors).toEqual([])
  expect(status?.actions?.[0]?.artifacts).toEqual({ result: { keyValue: { word: 'old-0!', seen: 'old-0' } } })
})

test('the functions that take a list are those whose arguments have an order by nature', () => {
  const orders = Object.fromEntries(phaseFunctions.flatMap(({ name, positional }) => (positional ? [[name, positional]] : [])))

  expect(orders).toEqual({
    KubeExec: ['namespace', 'pod', 'container', 'command'],
    KubeExecAll: ['namespace', 'pods', 'containers', 'command'],
    KubeTask: ['namespace', 'image', 'command'],
    PrepareData: ['namespace', 'image', 'command'],
    LocationDelete: ['artifact'],
  })
})
