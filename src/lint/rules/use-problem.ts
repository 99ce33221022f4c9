import type { Draft } from '../finding.ts'

/** What is wrong with one use of a variable; the place is the use's own. */
export type UseProblem = Pick<Draft, 'severity' | 'code' | 'message'>
