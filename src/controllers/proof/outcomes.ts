import type { ScheduledObject, ScheduleSpec } from '../../api/schedule.ts'
import { names } from '../../api/names.ts'
import type { Verification, VerificationStatus } from '../../api/verification.ts'
import { isRestored } from '../verification/progress.ts'

/** What a Verification that ended says of its object. */
export interface Outcome {
  readonly objectKey: string
  readonly verification: Verification
  /** `checked`: its data is sound as far as it was read, nothing was restored. `unproven`: it could not be tried, which says nothing about the backup. */
  readonly verdict: 'proven' | 'checked' | 'disproved' | 'unproven'
  readonly message: string
}

/** What status does not say yet, oldest first. Pure. */
export function newOutcomes(
  objects: Readonly<Record<string, ScheduledObject>>,
  verifications: readonly Verification[],
): Outcome[] {
  return verifications
    .flatMap((verification) => outcomeOf(verification) ?? [])
    .filter(({ objectKey, verification }) => isNews(objects[objectKey], verification))
    .toSorted((a, b) => endOf(a.verification) - endOf(b.verification))
}

/** A success makes the failures before it forgotten; failures leave the last success to be read. */
export function withProof(known: ScheduledObject, { verification, verdict, message }: Outcome): ScheduledObject {
  const { endedAt = '', startedAt, backupAt } = verification.status ?? {}
  const ended = {
    at: endedAt,
    verification: verification.metadata.name,
    ...(backupAt === undefined ? {} : { backup: backupAt }),
  }
  if (verdict === 'disproved') return { ...known, lastDisproved: { ...ended, message } }
  if (verdict === 'unproven') return { ...known, lastUnproven: { ...ended, message } }
  const { lastDisproved: _no, lastUnproven: _none, ...others } = known
  const rest = { ...others, lastChecked: ended }
  if (verdict === 'checked') return rest
  const seconds = startedAt === undefined ? {} : { seconds: secondsBetween(startedAt, endedAt) }
  return { ...rest, lastProven: { ...ended, ...seconds } }
}

/** When a proof of the object last ended, however it went; 0: none ever did. */
export function lastTried({ lastChecked, lastDisproved, lastUnproven }: ScheduledObject): number {
  return Math.max(0, ...[lastChecked, lastDisproved, lastUnproven].map((proof) => Date.parse(proof?.at ?? '') || 0))
}

/** What the Schedule asks for: that it was restored, or, where it restores nothing, that it was looked at. RFC 3339. */
export function lastGood(
  { spec }: { readonly spec: ScheduleSpec },
  { lastProven, lastChecked }: ScheduledObject,
): string | undefined {
  return spec.verification?.restore ? lastProven?.at : lastChecked?.at
}

/** The last proof failed, for whatever reason. */
export function isFailing({ lastDisproved, lastUnproven }: ScheduledObject): boolean {
  return lastDisproved !== undefined || lastUnproven !== undefined
}

export function hasEnded({ status }: Pick<Verification, 'status'>): boolean {
  return status?.state === 'complete' || status?.state === 'failed'
}

const longestMessage = 300

function outcomeOf(verification: Verification): Outcome | undefined {
  const { metadata, status } = verification
  const objectKey = metadata.annotations?.[names.scheduledObject]
  if (objectKey === undefined || !hasEnded(verification) || Number.isNaN(endOf(verification))) return undefined
  return {
    objectKey,
    verification,
    verdict: verdictOf(status ?? {}),
    message: (status?.message ?? '').slice(0, longestMessage),
  }
}

/** As the chain is told it: a namespace that cannot be removed says nothing about the backup. */
function verdictOf(status: VerificationStatus): Outcome['verdict'] {
  if (isRestored(status)) return 'proven'
  if (status.state === 'complete') return 'checked'
  return status.disproved ? 'disproved' : 'unproven'
}

function isNews(known: ScheduledObject | undefined, verification: Verification): boolean {
  return known !== undefined && endOf(verification) > lastTried(known)
}

function endOf({ status }: Verification): number {
  return Date.parse(status?.endedAt ?? '')
}

function secondsBetween(from: string, to: string): number {
  return Math.max(0, Math.round((Date.parse(to) - Date.parse(from)) / 1_000))
}
