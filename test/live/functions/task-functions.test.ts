import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { HoldfastError } from '../../../src/base/errors.ts'
import { kubeExec } from '../../../src/functions/kube-exec.ts'
import { kubeTask } from '../../../src/functions/kube-task.ts'
import { mergePodSpec } from '../../../src/functions/strategic-merge.ts'
import { kinds } from '../../../src/kube/kinds.ts'
import type { Kube } from '../../../src/kube/kube.ts'
import { openKube } from '../../../src/kube/open.ts'
import { aFunctionContext, type ContextParts, type RecordedContext, runFunction } from '../../build/function-context.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { apply } from '../../harness/world/objects.ts'
import { waitFor } from '../../harness/world/wait-for.ts'

const world = useWorld()
const namespace = useNamespace(world)
let kube: Kube
let image: string

beforeAll(async () => {
  kube = await openKube({ env: {}, kubeconfig: world().kubeconfig })
  image = await world().image('debian')
  await apply(world(), namespace, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'app', annotations: { 'kubectl.kubernetes.io/default-container': 'main' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        { name: 'side', image, command: ['sleep', '100000'] },
        { name: 'main', image, command: ['sleep', '100000'] },
      ],
    },
  })
  await kube.pods.waitReady({ namespace, name: 'app' }, { timeoutMs: 60_000 })
})

function context(parts: Partial<ContextParts> = {}): RecordedContext {
  return aFunctionContext({
    kube,
    ...parts,
    run: { actionSetUid: randomUUID(), ...parts.run },
    engine: { namespace, serviceAccount: 'default' },
  })
}

async function podsOf({ ctx }: RecordedContext): Promise<string[]> {
  const labelSelector = `holdfast.dev/actionset-uid=${ctx.run.actionSetUid}`
  return (await kube.resource(kinds.pods).list({ namespace, labelSelector })).items.map(({ metadata }) => metadata.name)
}

describe('KubeExec', () => {
  test('runs argv in the default container and collects markers of stdout only', async () => {
    const recorded = context()
    const script = `echo one; printf 'x ###Phase-output###: {"key":"a","value":"1"}\\n'; printf '###Phase-output###: {"key":"a","value":"2"}\\n'
      printf '###Phase-output###: {"key":"err","value":"1"}\\n' >&2; hostname`

    const outputs = await runFunction(kubeExec, recorded.ctx, { namespace, pod: 'app', command: ['sh', '-c', script] })

    expect(outputs).toEqual({ a: '2' })
    expect(recorded.lines).toContain('one')
    expect(recorded.lines).toContain('app')
  })

  test('a command without markers has no outputs; one long marker arrives whole', async () => {
    const long = `printf '###Phase-output###: {"key":"k","value":"'; head -c 200000 /dev/zero | tr '\\0' x; printf '"}\\n'`

    const nothing = await runFunction(kubeExec, context().ctx, { namespace, pod: 'app', command: 'true' })
    const outputs = await runFunction(kubeExec, context().ctx, {
      namespace,
      pod: 'app',
      container: 'side',
      command: ['sh', '-c', long],
    })

    expect(nothing).toBeUndefined()
    expect(outputs?.['k']).toHaveLength(200_000)
  })

  test('a failure says the exit code and the last lines, with secrets masked', async () => {
    const params = { Secrets: { db: { data: { password: Buffer.from('hunter2hunter2').toString('base64') } } } }
    const { ctx } = context({ params })
    const command = [
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6 7 8 9 10 11; do echo line $i; done; echo "is hunter2hunter2" >&2; exit 3',
    ]

    const failure = runFunction(kubeExec, ctx, { namespace, pod: 'app', command })

    await expect(failure).rejects.toThrow(/command terminated with exit code 3/)
    await expect(failure).rejects.toThrow(/stdout: line 2\n[^]*line 11\nstderr: is <redacted>$/)
    await expect(failure).rejects.not.toThrow(/hunter2/)
  })

  test('a marker that is no JSON fails the phase', async () => {
    const command = ['sh', '-c', `echo '###Phase-output###: {"key":"a","value":5}'`]

    await expect(runFunction(kubeExec, context().ctx, { namespace, pod: 'app', command })).rejects.toThrow(/must be text/)
  })

  test('a pod that is not there is named', async () => {
    await expect(runFunction(kubeExec, context().ctx, { namespace, pod: 'gone', command: 'true' })).rejects.toThrow(
      /pods "gone" not found/,
    )
  })
})

describe('KubeTask', () => {
  test('takes markers of stdout and stderr, and leaves no pod behind', async () => {
    const recorded = context()
    const script = `echo hello; echo '###Phase-output###: {"key":"a","value":"1"}'; echo '###Phase-output###: {"key":"b","value":"2"}' >&2`

    const outputs = await runFunction(kubeTask, recorded.ctx, { image, command: ['sh', '-c', script] })

    expect(outputs).toEqual({ a: '1', b: '2' })
    expect(recorded.lines).toContain('hello')
    expect(recorded.checkpoints.map((state) => (state as { step: string }).step)).toEqual(['creating', 'created', 'finished'])
    expect(await podsOf(recorded)).toEqual([])
  })

  test('a secret in its script is in no pod, and the script runs as it would', async () => {
    const params = { Secrets: { db: { data: { password: Buffer.from("it's hunter2").toString('base64') } } } }
    const seen: string[] = []
    const recorded = context({
      params,
      onCheckpoint: async (state) => {
        if ((state as { step: string }).step !== 'created') return
        seen.push(await world().kubectl(['get', 'pods', '-n', namespace, '-o', 'json']))
      },
    })
    const command = [
      'bash',
      '-o',
      'errexit',
      '-o',
      'pipefail',
      '-c',
      `echo "$0 $1 ${"it's hunter2"}" | sed s/hunter2/rabbit/; false | true; echo never`,
      'zero',
      'one',
    ]

    const failure = runFunction(kubeTask, recorded.ctx, { image, command })

    await expect(failure).rejects.toThrow(/command terminated with exit code 1/)
    expect(recorded.lines.join('\n')).toContain("zero one it's rabbit")
    expect(seen).toHaveLength(1)
    expect(seen[0]).not.toContain('hunter2')
    expect(seen[0]).toContain('/run/holdfast/script')
    const secrets = await kube.resource(kinds.secrets).list({ namespace })
    expect(secrets.items).toEqual([])
  })

  test('a failure says the exit code and ends with the last lines', async () => {
    const { ctx } = context()

    const failure = runFunction(kubeTask, ctx, { image, command: ['sh', '-c', 'echo before; echo why >&2; exit 4'] })

    // The node reads stdout and stderr from two pipes, so lines of different streams may change places.
    await expect(failure).rejects.toThrow(/command terminated with exit code 4[^]*(before\nwhy|why\nbefore)$/)
  })

  test('an image that is not there fails at once and by name', async () => {
    const recorded = context()

    const failure = runFunction(kubeTask, recorded.ctx, {
      image: 'holdfast.dev/no-such:1',
      command: ['true'],
      podOverride: { containers: [{ name: 'container', imagePullPolicy: 'Never' }] },
    })

    await expect(failure).rejects.toThrow(/Pod did not transition into running state[^]*ErrImageNeverPull/)
    expect(await podsOf(recorded)).toEqual([])
  })

  test('a sidecar of the override does not keep it from completing', async () => {
    const podOverride = { containers: [{ name: 'side', image, command: ['sleep', '100000'] }] }

    const outputs = await runFunction(kubeTask, context().ctx, { image, command: ['true'], podOverride })

    expect(outputs).toEqual({})
  })

  test('cancel removes the pod', async () => {
    const cancel = new AbortController()
    const recorded = context({ signal: cancel.signal })
    const running = runFunction(kubeTask, recorded.ctx, { image, command: ['sh', '-c', 'echo started; sleep 100000'] })
    running.catch(() => undefined)
    await waitFor('the task to run', () => recorded.lines.includes('started'), { timeoutMs: 60_000 })

    cancel.abort(new Error('cancelled'))

    await expect(running).rejects.toThrow('cancelled')
    expect(await podsOf(recorded)).toEqual([])
  })

  test('a handover leaves the pod, and the next attempt takes its result', async () => {
    const stop = new AbortController()
    const first = context({ signal: stop.signal })
    const command = [
      'sh',
      '-c',
      `echo started; while [ ! -e /tmp/go ]; do sleep 0.1; done; echo '###Phase-output###: {"key":"a","value":"1"}'`,
    ]
    const running = runFunction(kubeTask, first.ctx, { image, command })
    running.catch(() => undefined)
    await waitFor('the task to run', () => first.lines.includes('started'), { timeoutMs: 60_000 })

    stop.abort(new HoldfastError('RUN_SHUTDOWN', { next: 'retry', summary: '' }, 'the worker stops'))
    await expect(running).rejects.toThrow('the worker stops')
    const [pod = ''] = await podsOf(first)
    await world().kubectl(['exec', '-n', namespace, pod, '--', 'touch', '/tmp/go'])
    const second = context({ run: { actionSetUid: first.ctx.run.actionSetUid, attempt: 2 }, resumed: first.checkpoints.at(-1) })
    const outputs = await runFunction(kubeTask, second.ctx, { image, command })

    expect(outputs).toEqual({ a: '1' })
    expect(second.checkpoints).toMatchObject([{ step: 'finished', name: pod }])
    expect(await podsOf(first)).toEqual([])
  })

  test('a pod that vanished while nobody looked is no success', async () => {
    const resumed = { step: 'created', namespace, name: 'kanister-job-gone', uid: 'x' }

    const failure = runFunction(kubeTask, context({ resumed }).ctx, { image, command: ['true'] })

    await expect(failure).rejects.toMatchObject({ code: 'FUNCTION_POD_LOST' })
  })

  test('a namesake that is not of this phase is left alone', async () => {
    const resumed = { step: 'creating', namespace, name: 'app' }

    const failure = runFunction(kubeTask, context({ resumed }).ctx, { image, command: ['true'] })

    await expect(failure).rejects.toMatchObject({ code: 'FUNCTION_NAME_TAKEN' })
    expect((await kube.resource(kinds.pods).get({ namespace, name: 'app' })).metadata.deletionTimestamp).toBeUndefined()
  })
})

describe('podOverride', () => {
  const base = {
    restartPolicy: 'Always',
    nodeSelector: { a: '1', b: '2' },
    tolerations: [{ key: 't', operator: 'Exists' }],
    containers: [
      {
        name: 'container',
        image: 'a',
        command: ['x', 'y'],
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '2' },
          { name: 'C', value: '3' },
        ],
        ports: [{ containerPort: 80, name: 'http', protocol: 'TCP' }],
        volumeMounts: [{ name: 'v', mountPath: '/v' }],
        resources: { limits: { cpu: '1', memory: '1Gi' } },
      },
      { name: 'second', image: 'b' },
    ],
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'w', emptyDir: { medium: 'Memory' } },
    ],
    hostAliases: [{ ip: '10.0.0.1', hostnames: ['a'] }],
  } as const

  const patches = {
    'named lists': {
      containers: [
        { name: 'third', image: 'c' },
        { name: 'second', image: 'bb' },
      ],
      volumes: [{ name: 'x', emptyDir: {} }],
    },
    'order of env': {
      containers: [
        {
          name: 'container',
          env: [
            { name: 'D', value: '4' },
            { name: 'C', value: '33' },
            { name: 'A', value: '11' },
          ],
        },
      ],
    },
    'null and plain lists': {
      nodeSelector: { a: null, c: '3' },
      tolerations: [{ key: 'u', operator: 'Exists' }],
      containers: [{ name: 'container', command: ['z'], resources: { limits: { cpu: null } } }],
    },
    'deleting elements': {
      containers: [
        { name: 'second', $patch: 'delete' },
        { name: 'container', volumeMounts: [{ mountPath: '/v', $patch: 'delete' }] },
      ],
    },
    'replacing a list': { containers: [{ $patch: 'replace' }, { name: 'only', image: 'o' }] },
    'replacing a map': { nodeSelector: { $patch: 'replace', z: '9' } },
    'another source of a volume': { volumes: [{ name: 'w', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] },
    'mounts, ports and aliases': {
      hostAliases: [
        { ip: '10.0.0.2', hostnames: ['b'] },
        { ip: '10.0.0.1', hostnames: ['c'] },
      ],
      containers: [
        {
          name: 'container',
          ports: [
            { containerPort: 81, protocol: 'TCP' },
            { containerPort: 80, name: 'web' },
          ],
          volumeMounts: [
            { name: 'w', mountPath: '/v' },
            { name: 'w', mountPath: '/w' },
          ],
        },
      ],
    },
  }

  test.each(Object.entries(patches))('merges as the API server does: %s', async (_name, patch) => {
    const templates = kube.resource({ group: '', version: 'v1', resource: 'podtemplates', kind: 'PodTemplate' })
    const name = `t-${randomUUID()}`
    const plain = { terminationGracePeriodSeconds: 1 }
    await templates.create({
      metadata: { name, namespace },
      template: { metadata: { labels: { a: 'b' } }, spec: { ...base, ...plain } },
    })

    const patched = await templates.patch({ namespace, name }, { template: { spec: patch } }, { type: 'strategic' })
    await templates.replace({
      ...patched,
      metadata: { name, namespace },
      template: { metadata: { labels: { a: 'b' } }, spec: mergePodSpec({ ...base, ...plain }, patch as never) },
    })
    const ours = await templates.get({ namespace, name })

    expect(ours['template']).toEqual(patched['template'])
  })
})
