import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ActionSetStatus } from '../../../src/api/actionset.ts'
import { ownKinds } from '../../../src/kube/own-kinds.ts'
import { EngineWorld, namespace, onApp, say } from '../../build/engine-world.ts'

let world: EngineWorld
beforeEach(() => {
  world = new EngineWorld()
})
afterEach(async () => {
  await world.close()
})

/**
 * What Kanister writes during a success of two phases, a deferred one and an artifact, in its order: state, states of the phases and
 * of the deferred one, percent, artifacts. Two of its writes that differ in the running phase alone are one here.
 */
const ofKanister = [
  'pending: pending pending, pending, -, templates',
  'running: pending pending, pending, -, templates',
  'running: running pending, pending, -, templates',
  'running: complete pending, pending, 50, templates',
  'running: complete running, pending, 50, templates',
  'running: complete complete, pending, 100, templates',
  'running: complete complete, complete, 100, templates',
  'running: complete complete, complete, 100, rendered',
  'complete: complete complete, complete, 100, rendered',
]

/** The deferred phase is never seen running there. */
function picture({ state, actions, progress }: ActionSetStatus): string {
  const [action] = actions ?? []
  const phases = (action?.phases ?? []).map((phase) => phase.state).join(' ')
  const deferred = action?.deferPhase?.state === 'running' ? 'pending' : action?.deferPhase?.state
  const rendered = JSON.stringify(action?.artifacts).includes('{{') ? 'templates' : 'rendered'
  return `${state}: ${phases}, ${deferred}, ${progress?.percentCompleted ?? '-'}, ${rendered}`
}

/** Kanister writes 0 % when a phase starts. */
const plain = (text: string): string => text.replace(', 0, ', ', -, ')

test('whoever watches a status sees what Kanister writes, in its order; some pictures are skipped, none is added', async () => {
  world.blueprint({
    backup: {
      outputArtifacts: { o: { keyValue: { a: '{{ .Phases.p2.Output.out }}', d: '{{ .DeferPhase.Output.out }}' } } },
      phases: [say('p1', 'one'), say('p2', 'two')],
      deferPhase: say('def', 'three'),
    },
  })
  const seen: string[] = []
  world.api.after = ({ resource }) => {
    const status = resource === 'actionsets' ? world.api.read(ownKinds.actionSets, namespace, 'as')?.status : undefined
    const now = status?.state ? plain(picture(status)) : undefined
    if (now !== undefined && seen.at(-1) !== now) seen.push(now)
  }
  await world.start()
  world.actionSet([onApp('backup')])

  await world.ended('complete')

  const places = seen.map((each) => ofKanister.indexOf(each))
  expect(seen.filter((_, index) => places[index] === -1)).toEqual([])
  expect(places).toEqual(places.toSorted((a, b) => a - b))
  expect(seen.at(-1)).toBe(ofKanister.at(-1))
})
