import { afterEach, expect, test } from 'vitest'
import type { BlueprintAction, BlueprintPhase } from '../../../src/api/blueprint.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { type Holdfast, useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace } = installation
const running: Holdfast[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((process) => process.kill()))
})

async function start(): Promise<Holdfast> {
  const process = await installation.start('run', 'kanister-phases')
  running.push(process)
  return process
}

const made = {
  apiVersion: '{{ .Phases.make.Output.apiVersion }}',
  resource: '{{ .Phases.make.Output.resource }}',
  name: '{{ .Phases.make.Output.name }}',
  namespace: '{{ .Phases.make.Output.namespace }}',
}

/** An object is made, waited for and deleted, and a stream goes through two containers, as an operator's backup does it. */
function action(image: string): BlueprintAction {
  const spec = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: job-{{ .Options.id }}}'
  const marker = `'###Phase-output###: {"key":"lines","value":"%s"}\\n'`
  const phases: BlueprintPhase[] = [
    { func: 'KubeOps', name: 'make', args: { operation: 'create', namespace: '{{ .Object.metadata.name }}', spec } },
    {
      func: 'Wait',
      name: 'ready',
      args: {
        timeout: '{{ .Options.patience }}',
        conditions: { anyOf: [{ condition: '{{ if eq "{ $.data.state }" "ready" }}true{{ end }}', objectReference: made }] },
      },
    },
    {
      func: 'MultiContainerRun',
      name: 'stream',
      args: {
        namespace: '{{ .Object.metadata.name }}',
        initImage: image,
        initCommand: ['mkfifo', '/tmp/data'],
        backgroundImage: image,
        backgroundCommand: ['sh', '-c', 'seq 1 5000 > /tmp/data'],
        outputImage: image,
        outputCommand: ['sh', '-c', `printf ${marker} $(wc -l < /tmp/data)`],
      },
    },
    { func: 'KubeOps', name: 'remove', args: { operation: 'delete', objectReference: made } },
  ]
  return { phases, outputArtifacts: { dump: { keyValue: { lines: '{{ .Phases.stream.Output.lines }}' } } } }
}

test('phases of KubeOps, Wait and MultiContainerRun feed each other, and a crash in the middle of a wait costs nothing', async () => {
  const image = await installation.world().image('debian')
  const configMaps = installation.kube().resource(kinds.configMaps)
  const key = { namespace, name: 'job-7' }
  const phases = async (): Promise<unknown> =>
    (await installation.read()).status?.actions?.[0]?.phases?.map(({ state }) => state)
  await installation.blueprint({ backup: action(image) })
  const first = await start()
  const object = { kind: 'Namespace', name: namespace, namespace }
  await installation.create([{ name: 'backup', blueprint: 'bp', object, options: { id: '7', patience: '5m' } }])
  await waitFor('the wait', async () => JSON.stringify(await phases()) === '["complete","running","pending","pending"]', {
    timeoutMs: 90_000,
  })

  await first.kill()
  await configMaps.patch(key, { data: { state: 'ready' } })
  await start()

  const { status } = await installation.ended('complete')
  expect(status?.actions?.[0]?.artifacts).toEqual({ dump: { keyValue: { lines: '5000' } } })
  expect(status?.actions?.[0]?.phases?.[0]?.output).toEqual({
    apiVersion: 'v1',
    group: '',
    resource: 'configmaps',
    kind: '',
    name: 'job-7',
    namespace,
  })
  expect(await configMaps.find(key)).toBeUndefined()
})
