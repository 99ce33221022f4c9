import { describe, expect, it } from 'vitest'
import { kinds } from '../../../src/kube/kinds.ts'
import { useNamespace, useWorld } from '../../harness/world/fixtures.ts'
import { aPod, useKube } from './kube-fixture.ts'

const world = useWorld()
const namespace = useNamespace(world)
const kube = useKube(world)

async function create(
  name: string,
  command: readonly string[],
  spec: object = {},
): Promise<{ namespace: string; name: string }> {
  await kube()
    .resource(kinds.pods)
    .create(aPod(namespace, name, await world().image('debian'), command, spec))
  return { namespace, name }
}

async function linesOf(pod: { namespace: string; name: string }): Promise<string[]> {
  const lines: string[] = []
  for await (const line of kube().pods.logLines(pod)) lines.push(line)
  return lines
}

describe('pods on a real node', () => {
  it('are followed from their start to their end, each line once', async () => {
    const pod = await create('talk', [
      'sh',
      '-c',
      'for i in $(seq 1 2000); do echo line $i; done; sleep 1; echo last >&2; printf unended',
    ])

    const lines = await linesOf(pod)
    const done = await kube().pods.waitCompleted(pod)

    expect(lines).toHaveLength(2002)
    expect(lines.slice(-3)).toEqual(['line 2000', 'last', 'unended'])
    expect(done.status?.phase).toBe('Succeeded')
  })

  it('that fail are told with container and exit code, and their last lines can be had', async () => {
    const pod = await create('fail', ['sh', '-c', 'echo going down; exit 9'])

    await expect(kube().pods.waitCompleted(pod)).rejects.toMatchObject({
      code: 'KUBE_POD_FAILED',
      message: expect.stringContaining('container "c" terminated with exit code 9') as string,
      details: { exitCode: 9 },
    })
    expect(await kube().pods.tailLog(pod)).toBe('going down')
  })

  it('whose image is not there fail at once and by name', async () => {
    const spec = { containers: [{ name: 'c', image: 'no-such-image:1', imagePullPolicy: 'Never' }] }
    const pod = await create('imageless', [], spec)

    await expect(kube().pods.waitStarted(pod)).rejects.toMatchObject({
      code: 'KUBE_POD_STUCK',
      message: expect.stringMatching(/image no-such-image:1\) cannot start: ErrImageNeverPull/) as string,
    })
    expect(await kube().pods.tailLog(pod)).toBe('')
  })

  it('that fit nowhere end in a time-out with the words of the scheduler', async () => {
    const pod = await create('homeless', ['true'], { nodeSelector: { 'no.such/label': 'x' } })

    await expect(kube().pods.waitStarted(pod, { timeoutMs: 15_000 })).rejects.toMatchObject({
      code: 'KUBE_POD_NOT_READY',
      message: expect.stringMatching(
        /Pod did not transition into running state.*Unschedulable: .*nodes are available/,
      ) as string,
    })
  })

  it('with a missing Secret fail at once with the name of it', async () => {
    const image = await world().image('debian')
    const spec = { containers: [{ name: 'c', image, envFrom: [{ secretRef: { name: 'absent' } }] }] }
    const pod = await create('secretless', [], spec)

    await expect(kube().pods.waitStarted(pod)).rejects.toMatchObject({
      code: 'KUBE_POD_STUCK',
      message: expect.stringMatching(/CreateContainerConfigError: secret "absent" not found/) as string,
    })
  })

  it('are gone when remove returns, and a namesake is spared', async () => {
    const pod = await create('gone', ['sleep', 'infinity'])
    const { metadata } = await kube().pods.waitReady(pod)

    await kube().pods.remove(pod, { uid: '00000000-0000-0000-0000-000000000000' })
    expect(await kube().resource(kinds.pods).find(pod)).toBeDefined()

    await kube().pods.remove(pod, { uid: metadata.uid, gracePeriodSeconds: 0 })
    expect(await kube().resource(kinds.pods).find(pod)).toBeUndefined()

    await kube().pods.remove(pod)
  })

  it('that are deleted while somebody waits are told so', async () => {
    const pod = await create('taken', ['sleep', 'infinity'])
    await kube().pods.waitReady(pod)
    const waiting = kube().pods.waitCompleted(pod)
    const failed = expect(waiting).rejects.toMatchObject({ code: 'KUBE_POD_GONE' })

    await kube().pods.remove(pod)

    await failed
  })
})
