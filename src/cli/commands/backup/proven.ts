import { toRfc3339 } from '../../../base/clock.ts'
import type { KnownProof } from '../../../recovery/read-proofs.ts'

/** How `-o json` says whether a backup was restored for a test. */
export interface ShownProof {
  readonly state: 'proven' | 'failed'
  readonly at: string
  /** The newest success, where that was not the last attempt. */
  readonly lastProven?: string
  readonly verification?: string
  readonly seconds?: number
  readonly message?: string
  readonly steps?: readonly { readonly name: string; readonly state: string }[]
  /** No key was given to check its signature. */
  readonly unsigned?: true
}

export function shownProof({ last, lastProvenAt, unsigned }: KnownProof): ShownProof {
  const { state, at, message, details } = last
  return {
    state,
    at: toRfc3339(at),
    ...(lastProvenAt === undefined || lastProvenAt === at ? {} : { lastProven: toRfc3339(lastProvenAt) }),
    ...(details ? { verification: details.verification, seconds: details.seconds, steps: details.steps } : {}),
    ...(message === undefined ? {} : { message }),
    ...(unsigned ? { unsigned: true as const } : {}),
  }
}

/** `3h ago`, `failed 2d ago`, `never`. */
export function provenCell(proof: ShownProof | undefined, nowMs: number): string {
  if (!proof) return 'never'
  const age = ageOf(nowMs - Date.parse(proof.at))
  return proof.state === 'proven' ? age : `failed ${age}`
}

/** One line for people. */
export function provenLine(proof: ShownProof, nowMs: number): string {
  const by = proof.verification === undefined ? '' : ` by Verification ${proof.verification}`
  const steps = (proof.steps ?? []).map(({ name, state }) => (state === 'complete' ? name : `${name} ${state}`))
  const what = steps.length === 0 ? '' : ` (${steps.join(', ')})`
  const before = proof.lastProven === undefined ? '' : `; last proven ${proof.lastProven}`
  const why = proof.state === 'proven' || proof.message === undefined ? '' : `: ${proof.message}`
  return `${proof.state} ${proof.at}, ${ageOf(nowMs - Date.parse(proof.at))}${by}${what}${why}${before}`
}

function ageOf(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000))
  if (minutes < 120) return `${minutes}m ago`
  return minutes < 2_880 ? `${Math.floor(minutes / 60)}h ago` : `${Math.floor(minutes / 1_440)}d ago`
}
