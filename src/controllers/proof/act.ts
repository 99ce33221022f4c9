import { isDeepStrictEqual } from 'node:util'
import { apiVersionOf } from '../../api/kind.ts'
import { names } from '../../api/names.ts'
import type { ObjectReference } from '../../api/object-reference.ts'
import { scheduleKind, type Schedule } from '../../api/schedule.ts'
import { verificationKind, type Verification } from '../../api/verification.ts'
import { toRfc3339 } from '../../base/clock.ts'
import { pointerPart } from '../../base/json-pointer.ts'
import { kubeError } from '../../kube/errors.ts'
import type { EventNote, EventSink } from '../../kube/events.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Live } from '../../kube/objects.ts'
import { ownKinds } from '../../kube/own-kinds.ts'
import { slotName } from '../../schedule/slot-name.ts'
import type { Logger } from '../../telemetry/logger.ts'
import { patchUnchanged } from '../runtime/patch-unchanged.ts'
import { tell } from '../runtime/tell.ts'
import type { ProofDecision, ProofStatus, Round } from './decide.ts'
import type { ProvableBackup } from './newest-backup.ts'
import type { Outcome } from './outcomes.ts'

export interface ProofActDeps {
  readonly kube: Pick<Kube, 'resource'>
  readonly events: EventSink
  readonly log: Logger
  /** Called with each Verification that was made, or found to be made already. */
  readonly onCreated: (verification: Live<Verification>) => void
}

/** Looks into the catalog; undefined: it has no backup of the object. */
export type FindBackup = (objectKey: string) => Promise<ProvableBackup | undefined>

/** The catalog may have nothing of some objects of which status says that they have a backup. */
const mostLooks = 50

/**
 * Makes the Verifications of a round. Gives how many it has then; those that cannot be made because their name is taken count, since they will
 * not be made at the next look either.
 */
export async function makeRound(
  deps: ProofActDeps,
  schedule: Live<Schedule>,
  round: Round,
  profile: ObjectReference,
  findBackup: FindBackup,
  signal: AbortSignal,
): Promise<number> {
  let made = 0
  for (const objectKey of round.candidates.slice(0, round.missing + mostLooks)) {
    if (made === round.missing) break
    const backup = await findBackup(objectKey)
    if (!backup) continue
    await createVerification(deps, schedule, verificationOf(schedule, { objectKey, slot: round.slot, profile, backup }), signal)
    made += 1
  }
  return made
}

/** As it is sent: the server fills in the rest of the metadata. */
type NewVerification = Omit<Verification, 'metadata'> & {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }
}

interface Turn {
  readonly objectKey: string
  readonly slot: number
  readonly profile: ObjectReference
  readonly backup: ProvableBackup
}

function verificationOf({ metadata, spec }: Schedule, { objectKey, slot, profile, backup }: Turn): NewVerification {
  const { check, restore, verify, ttl } = spec.verification ?? {}
  return {
    apiVersion: apiVersionOf(verificationKind),
    kind: 'Verification',
    metadata: {
      name: slotName(`${metadata.name}-proof`, objectKey, slot),
      namespace: metadata.namespace,
      labels: { [names.schedule]: metadata.name },
      annotations: { [names.slot]: toRfc3339(slot), [names.scheduledObject]: objectKey },
    },
    spec: {
      profile: { name: profile.name ?? '', namespace: profile.namespace ?? metadata.namespace },
      record: backup.record,
      object: backup.object,
      ...(check ? { check } : {}),
      ...(restore ? { restore } : {}),
      ...(verify ? { verify } : {}),
      ...(ttl === undefined ? {} : { ttl }),
    },
  }
}

async function createVerification(
  deps: ProofActDeps,
  schedule: Live<Schedule>,
  wanted: NewVerification,
  signal: AbortSignal,
): Promise<void> {
  const verifications = deps.kube.resource(ownKinds.verifications)
  const { namespace, name, labels, annotations } = wanted.metadata
  try {
    deps.onCreated(await verifications.create(wanted as Verification, { signal }))
  } catch (error) {
    if (!kubeError.is(error, 'KUBE_ALREADY_EXISTS')) throw error
    const { metadata, ...found } = await verifications.get({ namespace, name }, { signal })
    const isOurs =
      metadata.labels?.[names.schedule] === labels[names.schedule] &&
      metadata.annotations?.[names.slot] === annotations[names.slot]
    if (isOurs) return deps.onCreated({ ...found, metadata })
    const message = `Verification ${name} could not be made: one of this name is there that this Schedule did not make`
    return tell(deps, scheduleKind, schedule, { type: 'Warning', reason: 'ProofSkipped', message })
  }
  const message = `the newest backup of ${annotations[names.scheduledObject] ?? ''} is being proven: Verification ${name}`
  tell(deps, scheduleKind, schedule, { type: 'Normal', reason: 'ProvingBackup', message })
}

/** What is told when it stands in status. False: the Schedule changed meanwhile, so it is to be looked at again. */
export async function writeProofs(
  deps: ProofActDeps,
  schedule: Live<Schedule>,
  { objects, outcomes, skipped }: ProofDecision,
  after: ProofStatus,
  signal: AbortSignal,
): Promise<boolean> {
  const changed = [...new Set(outcomes.map(({ objectKey }) => objectKey))]
  if (changed.length === 0 && isDeepStrictEqual(schedule.status?.verification, after)) return true
  const operations = [
    { op: 'add', path: '/status/verification', value: after },
    ...changed.map((key) => ({ op: 'add', path: `/status/objects/${pointerPart(key)}`, value: objects[key] })),
  ]
  if (!(await patchUnchanged(deps.kube.resource(ownKinds.schedules), schedule, operations, signal))) return false
  for (const outcome of outcomes) tell(deps, scheduleKind, schedule, noteOf(outcome))
  if (skipped && !schedule.spec.suspend) {
    const slots = skipped.count === 1 ? 'a slot' : `${skipped.count} slots`
    const message = `verification: ${slots} up to ${toRfc3339(skipped.last)} passed over: ${skipped.why}`
    tell(deps, scheduleKind, schedule, { type: 'Warning', reason: 'ProofSkipped', message })
  }
  return true
}

function noteOf({ objectKey, verification, verdict, message }: Outcome): EventNote {
  const { backupAt = 'unknown time' } = verification.status ?? {}
  const what = `the backup of ${objectKey} of ${backupAt}`
  const { name } = verification.metadata
  if (verdict === 'proven')
    return { type: 'Normal', reason: 'BackupProven', message: `${what} can be restored (Verification ${name})` }
  if (verdict === 'checked')
    return { type: 'Normal', reason: 'BackupChecked', message: `${what} is sound as far as it was read (Verification ${name})` }
  const why = `Verification ${name}: ${message}`
  return verdict === 'disproved'
    ? { type: 'Warning', reason: 'BackupDisproved', message: `${what} is no good: ${why}` }
    : { type: 'Warning', reason: 'BackupNotProven', message: `${what} could not be tried: ${why}` }
}
