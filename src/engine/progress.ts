import type { PhaseProgress } from '../api/actionset.ts'

/**
 * A report of a function over the last one: fields that it does not name stay, and the transition time moves only when a number
 * did. Undefined when nothing changed, so that nothing needs to be written.
 */
export function mergeProgress(last: PhaseProgress | undefined, report: PhaseProgress, now: string): PhaseProgress | undefined {
  const given = Object.entries(report).filter(([key, value]) => value !== undefined && key !== 'lastTransitionTime')
  const changed = given.filter(([key, value]) => last?.[key as keyof PhaseProgress] !== value)
  if (changed.length === 0) return undefined
  return { ...last, ...Object.fromEntries(changed), lastTransitionTime: now }
}
