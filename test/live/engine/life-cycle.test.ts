import { beforeAll, describe, expect, test } from 'vitest'
import type { ActionSpec } from '../../../src/api/actionset.ts'
import type { BlueprintPhase } from '../../../src/api/blueprint.ts'
import { kinds, type CoreEvent } from '../../../src/kube/kinds.ts'
import { waitFor } from '../../harness/world/wait-for.ts'
import { useInstallation } from './installation.ts'

const installation = useInstallation()
const { namespace } = installation

/** A shell script in the pod, as a phase. */
function script(name: string, text: string): BlueprintPhase {
  return {
    func: 'KubeExec',
    name,
    args: { namespace: '{{ .Namespace.Name }}', pod: 'app', container: 'main', command: ['sh', '-c', text] },
  }
}

function output(key: string, value: string): string {
  return `echo '###Phase-output###: {"key":"${key}","value":"${value}"}'`
}

function action(name: string, more: Partial<ActionSpec> = {}): ActionSpec {
  return { name, blueprint: 'bp', object: { kind: 'Namespace', name: namespace, namespace }, ...more }
}

describe('Holdfast on a real cluster', () => {
  beforeAll(async () => {
    await installation.start('run', 'life')
  }, 120_000)

  test('runs a Blueprint as it was when the ActionSet was created, however short before it was changed', async () => {
    for (const round of Array.from({ length: 20 }, (_, index) => String(index))) {
      const outputArtifacts = { o: { keyValue: { round: '{{ .Phases.p1.Output.round }}' } } }
      await installation.blueprint({ backup: { outputArtifacts, phases: [script('p1', output('round', round))] } })
      await installation.create([action('backup')])

      const { status } = await installation.ended('complete')

      expect(status?.actions?.[0]?.artifacts).toEqual({ o: { keyValue: { round } } })
    }
  })

  test('runs phases, hands outputs on, runs the deferred phase, renders artifacts and tells in Events', async () => {
    await installation.blueprint({
      backup: {
        outputArtifacts: { o: { keyValue: { path: '{{ .Phases.p2.Output.path }}', freed: '{{ .DeferPhase.Output.freed }}' } } },
        phases: [
          script('p1', output('where', '/backups/one')),
          script('p2', output('path', '{{ .Phases.p1.Output.where }}.gz')),
        ],
        deferPhase: script('unlock', output('freed', 'yes')),
      },
    })
    const created = await installation.create([action('backup')])

    const { status } = await installation.ended('complete')

    expect(status?.actions?.[0]?.artifacts).toEqual({ o: { keyValue: { path: '/backups/one.gz', freed: 'yes' } } })
    expect(status?.progress?.percentCompleted).toBe('100')
    const events = installation.kube().resource<CoreEvent>(kinds.events)
    const told = [
      'Started Action',
      'Started Phase',
      'Ended Phase',
      'Started deferPhase',
      'Ended deferPhase',
      // It has artifacts and no Profile.
      'Not catalogued',
      'Update Complete',
    ]
    // They are a courtesy and go out at a pace: later than the status, and those of the operator not behind those of the worker.
    const reasons = await waitFor('the Events', async () => {
      const { items } = await events.list({ namespace, fieldSelector: `involvedObject.uid=${created.metadata.uid}` })
      const found = new Set(items.map(({ reason }) => reason))
      return found.size >= told.length && found
    })
    expect(reasons).toEqual(new Set(told))
  })

  test('fails with the command that fails, says so, and runs the deferred phase', async () => {
    await installation.blueprint({
      backup: {
        phases: [script('p1', 'echo no space left >&2; exit 3'), script('p2', 'true')],
        deferPhase: script('unlock', 'echo done > /tmp/unlocked'),
      },
    })
    await installation.create([action('backup')])

    const { status } = await installation.ended('failed')

    expect(status?.error?.message).toContain('exit code 3')
    expect(status?.actions?.[0]?.phases?.map((phase) => phase.state)).toEqual(['failed', 'pending'])
    expect(await installation.fileInPod('/tmp/unlocked')).toBe('done\n')
  })

  test('a cancel by annotation stops the command in the pod and runs the deferred phase', async () => {
    const mark = 'sleep 98765'
    await installation.blueprint({
      backup: {
        phases: [script('p1', `echo $$ > /tmp/cancelled.pid; exec ${mark}`)],
        deferPhase: script('unlock', 'echo unlocked > /tmp/after-cancel'),
      },
    })
    await installation.create([action('backup')])
    await waitFor('the command', async () => (await installation.fileInPod('/tmp/cancelled.pid')) !== '')

    await installation.world().kubectl(['annotate', 'actionset', 'as', '-n', namespace, 'holdfast.dev/cancel=true'])

    const { status } = await installation.ended('failed')
    expect(status?.reason).toBe('Cancelled')
    expect(await installation.fileInPod('/tmp/after-cancel')).toBe('unlocked\n')
    const pid = (await installation.fileInPod('/tmp/cancelled.pid')).trim()
    await waitFor('it to be gone', async () => (await installation.fileInPod(`/proc/${pid}/cmdline`)) === '')
  })

  test('a deleted ActionSet stops its command and runs the deferred phase', async () => {
    await installation.blueprint({
      backup: {
        phases: [script('p1', 'echo here > /tmp/deleted; sleep 98765')],
        deferPhase: script('unlock', 'echo unlocked > /tmp/after-delete'),
      },
    })
    const created = await installation.create([action('backup')])
    await waitFor('the command', async () => (await installation.fileInPod('/tmp/deleted')) !== '')

    await installation.world().kubectl(['delete', 'actionset', 'as', '-n', namespace])

    const run = await waitFor(
      'the Run to end',
      async () => {
        const found = await installation.runOf(created)
        return found.status.endedAt === undefined ? undefined : found
      },
      { timeoutMs: 60_000 },
    )
    expect(run.status).toMatchObject({ state: 'failed', reason: 'Cancelled' })
    expect(await installation.fileInPod('/tmp/after-delete')).toBe('unlocked\n')
  })

  test.each([
    ['an unknown Blueprint', action('backup', { blueprint: 'nope' }), 'blueprints.cr.kanister.io "nope" not found'],
    ['an unknown action', action('nope'), 'Action nope for object kind Namespace not found in blueprint bp'],
    [
      'a missing object',
      action('backup', { object: { kind: 'StatefulSet', name: 'gone', namespace } }),
      'statefulsets.apps "gone" not found',
    ],
    [
      'a missing Profile',
      action('backup', { profile: { name: 'gone', namespace } }),
      'profiles.cr.kanister.io "gone" not found',
    ],
  ])('%s fails with a message and an Event', async (_, spec, message) => {
    await installation.blueprint({ backup: { phases: [script('p1', 'true')] } })
    const created = await installation.create([spec])

    const { status } = await installation.ended('failed')

    expect(status?.error?.message).toContain(message)
    await waitFor('the Event', async () => {
      const { items } = await installation
        .kube()
        .resource<CoreEvent>(kinds.events)
        .list({ namespace, fieldSelector: `involvedObject.uid=${created.metadata.uid},type=Warning` })
      return items.some((event) => event.message?.includes(message))
    })
  })
})
