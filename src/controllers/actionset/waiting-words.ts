import type { Waiting } from '../../api/actionset.ts'
import { renderGoDuration } from '../../base/go-duration.ts'
import type { Blocked, OpenRun } from '../../engine/queue-policy.ts'

/** Positions are shown to that many: those further behind have one text that stays the same. */
const shownPositions = 20

/** What an ActionSet waits for, as its status shows it. `place`: 1 is next. */
export function describeWait(open: OpenRun, blocked: Blocked | undefined, place: number | undefined): Waiting {
  const position = place !== undefined && place <= shownPositions ? { position: place } : {}
  if (blocked?.for === 'Object') {
    const message = `waits until ActionSet ${blocked.holder} has ended, which works on the same object`
    return { for: 'Object', message, ...position, ...(blocked.holder ? { holder: blocked.holder } : {}) }
  }
  if (blocked?.for === 'Namespace') {
    return {
      for: 'Namespace',
      message: `waits until another ActionSet of namespace ${open.share} has ended: as many as may are under way`,
      ...position,
    }
  }
  const ahead = place === undefined ? '' : place > shownPositions ? `, more than ${shownPositions} are ahead` : ''
  return { for: 'Queue', message: `waits for a free worker${ahead}`, ...position }
}

/** Why an ActionSet that waited too long fails. */
export function describeExpiry(limitMs: number, blocked: Blocked | undefined): string {
  const what =
    blocked?.for === 'Object'
      ? `ActionSet ${blocked.holder} works on the same object`
      : blocked?.for === 'Namespace'
        ? 'as many ActionSets of its namespace as may were under way'
        : 'no worker was free'
  return `it waited longer than its queueTimeout of ${renderGoDuration(limitMs)}: ${what}; create it again, or give it more time`
}
