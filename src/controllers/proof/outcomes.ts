import type { ScheduledObject } from '../../api/schedule.ts'
import { names } from '../../api/names.ts'
import type { Verification } from '../../api/verification.ts'

/** What a Verification that ended says of its object. */
export interface Outcome {
  readonly objectKey: string
  readonly verification: Verification
  /** `unproven`: it could not be tried, which says nothing about the backup. */
  readonly verdict: 'proven' | 'disproved' | 'unproven'
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
  const { lastDisproved: _no, lastUnproven: _none, ...rest } = known
  const seconds = startedAt === undefined ? {} : { seconds: secondsBetween(startedAt, endedAt) }
  return { ...rest, lastProven: { ...ended, ...seconds } }
}

/** When a proof of the object last ended, however it went; 0: none ever did. */
export function lastTried({ lastProven, lastDisproved, lastUnproven }: ScheduledObject): number {
  return Math.max(0, ...[lastProven, lastDisproved, lastUnproven].map((proof) => Date.parse(proof?.at ?? '') || 0))
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
  const failed = status?.disproved ? 'disproved' : 'unproven'
  return {
    objectKey,
    verification,
    verdict: status?.state === 'complete' ? 'proven' : failed,
    message: (status?.message ?? '').slice(0, longestMessage),
  }
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
