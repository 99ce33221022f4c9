import { execFile } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import { openKube } from '../../../src/kube/open.ts'
import { silentLogger } from '../../../src/telemetry/logger.ts'
import { webhookNames } from '../../../src/webhooks/names.ts'
import { startWebhooks, type Webhooks } from '../../../src/webhooks/start-webhooks.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

/**
 * The real API server asks a webhook in this process. The namespace of the file is the installation; its configuration has a URL
 * where that of the manifest has a Service, since nothing of it runs in a pod.
 */
const world = useWorld()
const namespace = useNamespace(world)
const other = useNamespace(world, 'other')
const names = webhookNames(namespace)
const crds = resolve(import.meta.dirname, '../../../crds')

let kube: Kube
let webhooks: Webhooks
let port = 0

beforeAll(async () => {
  kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
  await world().kubectl(['apply', '--server-side', '--force-conflicts', '-f', crds])
  await world().kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd/blueprints.cr.kanister.io'])
  webhooks = started(0)
  port = await webhooks.listening
  await world().kubectl(['apply', '-f', '-'], { input: JSON.stringify(aConfiguration()) })
  await isAsked()
})

afterAll(async () => {
  await world().kubectl(['delete', 'validatingwebhookconfiguration', names.configuration, '--ignore-not-found'])
  await webhooks.close()
  await kube.close()
})

function started(atPort: number, lifetimeMs = 86_400_000): Webhooks {
  const { hostIp } = world()
  if (!hostIp) throw new Error('this test needs a cluster whose API server reaches this machine')
  return startWebhooks({
    kube,
    clock: systemClock,
    log: silentLogger,
    namespace,
    watchNamespaces: [namespace],
    port: atPort,
    hosts: [hostIp],
    settings: { lookMs: 200, settleMs: 500, lifetimeMs },
  })
}

function aConfiguration(): unknown {
  const rule = {
    apiGroups: ['cr.kanister.io'],
    apiVersions: ['v1alpha1'],
    operations: ['CREATE', 'UPDATE'],
    resources: ['blueprints'],
  }
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: names.configuration },
    webhooks: [
      {
        name: 'blueprints.holdfast.dev',
        clientConfig: { url: `https://${world().hostIp}:${port}${names.blueprintPath}` },
        rules: [rule],
        // As in the manifest, but for its 3 seconds, in which a busy machine may not answer.
        failurePolicy: 'Ignore',
        timeoutSeconds: 20,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  }
}

interface Applied {
  readonly code: number
  readonly text: string
}

/** `kubectl apply`: what a user sees. */
function apply(blueprint: string, ...flags: string[]): Promise<Applied> {
  return new Promise((done) => {
    const args = ['apply', '-f', '-', ...(flags.includes('-n') ? [] : ['-n', namespace]), ...flags]
    const child = execFile(world().kubectlPath, args, { env: { KUBECONFIG: world().kubeconfig } }, (error, stdout, stderr) =>
      done({ code: error ? 1 : 0, text: stdout + stderr }),
    )
    child.stdin?.end(blueprint)
  })
}

function aBlueprint(name: string, script: string, label = 'a'): string {
  return `
apiVersion: cr.kanister.io/v1alpha1
kind: Blueprint
metadata: { name: ${name}, labels: { version: ${label} } }
actions:
  backup:
    kind: StatefulSet
    phases:
      - func: KubeTask
        name: dump
        args:
          image: busybox
          command: [sh, -c, ${JSON.stringify(script)}]
`
}

const broken = aBlueprint('broken', 'set -e\necho {{ .StatefulSet.Nam }}')
const sound = aBlueprint('sound', 'echo {{ .StatefulSet.Name }}')

/** Waits until the API server knows the webhook: configurations reach its requests a little later. */
async function isAsked(): Promise<void> {
  await waitFor('the API server to ask the webhook', async () => (await apply(broken, '--dry-run=server')).code === 1, {
    timeoutMs: 60_000,
  })
}

async function servedCertificate(): Promise<string> {
  const { data } = await kube.resource(kinds.secrets).get({ namespace, name: names.secret })
  return Buffer.from(data?.['tls.crt'] ?? '', 'base64').toString()
}

describe('kubectl apply of a Blueprint', () => {
  it('refuses a broken one, and says which phase, line and field', async () => {
    const { code, text } = await apply(broken)

    expect(code).toBe(1)
    expect(text).toContain('admission webhook "blueprints.holdfast.dev" denied the request: Invalid blueprint, ')
    expect(text).toContain('phase dump in action backup: "StatefulSet" has no field "Nam"; did you mean Name?')
    expect(text).toContain('line 2, column 9 of actions.backup.phases[0].args.command[2]')
  })

  it('takes one that may be meant, with a warning', async () => {
    const { code, text } = await apply(aBlueprint('unsure', 'dump | gzip > /x'))

    expect(code).toBe(0)
    expect(text).toContain('Warning: phase dump in action backup: only the last command of this pipeline decides')
    expect(text).toContain('blueprint.cr.kanister.io/unsure created')
  })

  it('takes a sound one without a word', async () => {
    expect(await apply(sound)).toEqual({ code: 0, text: 'blueprint.cr.kanister.io/sound created\n' })
  })

  it('answers a dry run in the same way', async () => {
    expect((await apply(broken, '--dry-run=server')).text).toContain('Invalid blueprint, ')
    expect((await apply(sound, '--dry-run=server')).code).toBe(0)
  })

  it('of another namespace is none of our business', async () => {
    expect(await apply(broken, '-n', other)).toEqual({ code: 0, text: 'blueprint.cr.kanister.io/broken created\n' })
  })
})

describe('the webhook', () => {
  it('changes its certificate while it runs, and no broken Blueprint slips through meanwhile', async () => {
    await webhooks.close()
    await world().kubectl(['delete', 'secret', names.secret, '-n', namespace])
    webhooks = started(port, 30_000)
    await webhooks.listening
    await isAsked()
    const first = await servedCertificate()
    const answers: number[] = []

    await waitFor(
      'the next certificate',
      async () => {
        answers.push((await apply(broken, '--dry-run=server')).code)
        return fingerprint(await servedCertificate()) !== fingerprint(first)
      },
      { timeoutMs: 90_000 },
    )
    for (let more = 0; more < 20; more++) answers.push((await apply(broken, '--dry-run=server')).code)

    expect(new Set(answers)).toEqual(new Set([1]))
    expect(new X509Certificate(await servedCertificate()).validToDate.getTime()).toBeGreaterThan(Date.now())
  })

  it('that is gone keeps nobody from applying; what got in meanwhile stays usable', async () => {
    await webhooks.close()

    expect(await apply(broken)).toEqual({ code: 0, text: 'blueprint.cr.kanister.io/broken created\n' })

    webhooks = started(port)
    await webhooks.listening
    await waitFor('the webhook to be asked', async () => (await apply(sound.replace('echo', 'echo {{ .Nope }}'))).code === 1, {
      timeoutMs: 60_000,
    })
    const labelled = await apply(broken.replace('version: a', 'version: b'))
    const mended = await apply(aBlueprint('broken', 'echo {{ .StatefulSet.Name }}'))

    expect(labelled.code).toBe(0)
    expect(labelled.text).toContain('Warning: Failed to validate phase dump in action backup')
    expect(mended).toEqual({ code: 0, text: 'blueprint.cr.kanister.io/broken configured\n' })
    await world().kubectl(['delete', 'blueprint', 'broken', '-n', namespace])
  })
})

function fingerprint(pem: string): string {
  return createHash('sha256').update(pem).digest('hex')
}
