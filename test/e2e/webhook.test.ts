import { afterAll, describe, expect, test } from 'vitest'
import { engineNamespace, useInstallation } from '../harness/world/installation.ts'
import { useWorld } from '../harness/world/fixtures.ts'
import { waitRolledOut } from '../harness/world/objects.ts'
import { waitFor } from '../harness/world/wait-for.ts'

const world = useWorld()
useInstallation(world)

const name = 'webhook-sample'

function aBlueprint(template: string): string {
  return `
apiVersion: cr.kanister.io/v1alpha1
kind: Blueprint
metadata: { name: ${name}, namespace: ${engineNamespace} }
actions:
  backup:
    phases: [{ func: KubeTask, name: dump, args: { image: busybox, command: [echo, '${template}'] } }]
`
}

const broken = aBlueprint('{{ .Tim }}')

async function refusal(...flags: string[]): Promise<string | undefined> {
  try {
    await world().kubectl(['apply', '-f', '-', ...flags], { input: broken })
    return undefined
  } catch (error) {
    return String(error)
  }
}

async function isAsked(): Promise<string> {
  return await waitFor('the API server to ask the operator', () => refusal('--dry-run=server'), { timeoutMs: 180_000 })
}

async function scale(replicas: number): Promise<void> {
  const workload = 'deployment/holdfast-operator'
  await world().kubectl(['scale', '-n', engineNamespace, workload, `--replicas=${replicas}`])
  const pods = ['-n', engineNamespace, '-l', 'app.kubernetes.io/name=holdfast-operator']
  if (replicas === 0) await world().kubectl(['wait', 'pod', ...pods, '--for=delete', '--timeout=180s'])
  else await waitRolledOut(world(), engineNamespace, workload)
}

afterAll(async () => {
  await scale(1)
  await world().kubectl(['delete', 'blueprint', name, '-n', engineNamespace, '--ignore-not-found'])
})

describe('the webhook of an installation', () => {
  test('refuses a broken Blueprint and takes a sound one', async () => {
    expect(await isAsked()).toContain('Invalid blueprint, Failed to validate phase dump in action backup')

    await world().kubectl(['apply', '-f', '-'], { input: aBlueprint('{{ .Time }}') })
  })

  test('lets everything in while the operator is down, and is back with it', async () => {
    await scale(0)

    expect(await refusal('--dry-run=server')).toBeUndefined()

    await scale(1)
    expect(await isAsked()).toContain('did you mean Time?')
  })
})
