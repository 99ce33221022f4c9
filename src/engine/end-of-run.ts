import { names } from '../api/names.ts'
import type { RunAction } from '../api/run.ts'
import { reasonOf, stateOf } from './project.ts'

/** The operations of a JSON Patch that end a Run whose actions have all ended. */
export function endOfRun(actions: readonly RunAction[], now: string): object[] {
  const state = stateOf(actions)
  return [
    { op: 'add', path: '/status/state', value: state },
    { op: 'add', path: '/status/endedAt', value: now },
    ...(state === 'failed' ? [{ op: 'add', path: '/status/reason', value: reasonOf(actions) }] : []),
    { op: 'add', path: `/metadata/labels/${names.unfinished.replace('/', '~1')}`, value: 'false' },
  ]
}
