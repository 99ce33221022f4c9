import { flag, integer, list, map, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'
import { defineKind, type StoredMeta } from './kind.ts'
import { names } from './names.ts'
import { ObjectReference } from './object-reference.ts'

/** What is done to prove a backup. The same shapes stand in `verification` of a Schedule. */
export const verificationChecks = {
  check: optional(
    object(
      {
        subset: optional(
          text(
            'How much of the repository’s data is read and verified: 5%, or 2/10 for the second of ten parts. 0%: only what leads to it. @default 5%',
            { pattern: '^([0-9]+([.][0-9]+)?%|[0-9]+/[0-9]+)$' },
          ),
        ),
        timeout: optional(text('How long it may take. Go duration. @default 1h')),
      },
      'Reads a sample of the repository in which the data of the backup is. Absent: not done.',
    ),
  ),
  restore: optional(
    object(
      {
        action: optional(text('Action of the Blueprint that restores. @default restore')),
        options: optional(map(text('Value.'), 'Options of that action, over those of the backup.')),
        storageClasses: optional(map(text('Storage class to use instead.'), 'By the storage class of the backup.')),
        copySecrets: optional(
          flag('Secrets that its pods need are copied from the namespace of the original for that time. @default true'),
        ),
        isolate: optional(
          flag(
            'A NetworkPolicy lets its pods speak with each other and with DNS only; for Blueprints whose pods there need no bucket. @default false',
          ),
        ),
        keepOnFailure: optional(flag('A failed test restore stays as it is, for somebody to look at. @default false')),
        accept: optional(list(text('Code.'), 'Blockers of the plan in spite of which it goes on, by their codes.')),
        timeout: optional(text('How long restore and verify may take together. Go duration. @default 1h')),
      },
      'Restores the backup into a namespace made for it, which is removed afterwards. Absent: not done.',
    ),
  ),
  verify: optional(
    object(
      { action: optional(text('Action of the Blueprint that looks at the restored data. @default verify')) },
      'Runs an action of the Blueprint at what was restored; figures that it gives are compared with those of the backup. Only after a restore.',
    ),
  ),
} as const

export const VerificationSpec = object(
  {
    profile: object(
      { name: text('Name of the Profile.', { minLength: 1 }), namespace: text('Its namespace.', { minLength: 1 }) },
      'Profile of the location in which the backup’s record is.',
    ),
    record: text('Key of the backup’s record in that location, below its prefix.', { minLength: 1 }),
    object: optional(ObjectReference),
    ...verificationChecks,
    ttl: optional(
      text('How long it is kept after its end; the newest of an object stays. Go duration. @default 720h', { minLength: 1 }),
    ),
  },
  'Which backup is to be proven, and how. A Verification runs once: editing it later does nothing.',
)
export type VerificationSpec = TypeOf<typeof VerificationSpec>

/** The three parts alone. */
export type VerificationChecks = Pick<VerificationSpec, 'check' | 'restore' | 'verify'>

export const verificationStates = ['pending', 'running', 'complete', 'failed'] as const
export type VerificationState = (typeof verificationStates)[number]

/** In their order. */
export const verificationSteps = ['catalog', 'check', 'restore', 'verify', 'clean'] as const
export type VerificationStepName = (typeof verificationSteps)[number]

const moment = (what: string): ReturnType<typeof text> => text(what, { format: 'date-time' })

export const VerificationStep = object(
  {
    name: oneOf(verificationSteps, 'Which step.'),
    state: oneOf(['pending', 'running', 'complete', 'failed', 'skipped'], 'How far it is.'),
    seconds: optional(integer('How long it took.')),
    message: optional(text('Why it failed or was skipped, or what it found.')),
  },
  'One step of the proof.',
)
export type VerificationStep = TypeOf<typeof VerificationStep>

export const VerificationStatus = object(
  {
    state: optional(oneOf(verificationStates, 'complete: the backup is proven. failed: it is not.')),
    step: optional(text('What is being done.')),
    message: optional(text('Empty while all is well; else what is wrong, with which object, and the way out.')),
    attempt: optional(integer('Counts from 1; an engine that was killed in the middle begins anew.')),
    startedAt: optional(moment('When the first attempt began.')),
    attemptAt: optional(moment('When this attempt began.')),
    deadline: optional(moment('Until when restore and verify have to be done.')),
    stepAt: optional(moment('When the step that runs began.')),
    endedAt: optional(moment('When it ended.')),
    backupAt: optional(moment('When the backup began.')),
    backup: optional(text('Id of the backup.')),
    repositories: optional(list(text('Key prefix.'), 'Repositories that hold its data, below the bucket.')),
    disproved: optional(
      flag('Of a failed one: the backup itself is no good. Absent when it could not be tried (a right, a quota, no answer).'),
    ),
    namespace: optional(text('The namespace of the test restore, while it is there.')),
    actionSet: optional(text('The ActionSet that the step that runs waits for.')),
    steps: optional(list(VerificationStep, 'Steps in their order.')),
    compared: optional(
      map(
        object({ recorded: text('Value of the backup.'), found: text('Value of what was restored.') }, 'Two values.'),
        'Figures that were compared, by `artifact.key`.',
      ),
    ),
    proof: optional(text('Key of the link in the backup’s chain that tells the result.')),
  },
  'How far the proof is. Written by the engine.',
)
export type VerificationStatus = TypeOf<typeof VerificationStatus>

export const VerificationBody = object({ spec: VerificationSpec, status: optional(VerificationStatus) })

export const verificationKind = defineKind({
  group: names.group,
  version: names.version,
  kind: 'Verification',
  plural: 'verifications',
  singular: 'verification',
  description: 'The proof that one backup can be restored: sample of its data, test restore, figures compared.',
  schema: VerificationBody,
  columns: [
    { name: 'Object', type: 'string', jsonPath: '.spec.object.name' },
    { name: 'Backup', type: 'date', jsonPath: '.status.backupAt', description: 'When the backup began.' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Step', type: 'string', jsonPath: '.status.step' },
    { name: 'Started', type: 'date', jsonPath: '.status.startedAt' },
    { name: 'Ended', type: 'date', jsonPath: '.status.endedAt' },
    { name: 'Message', type: 'string', jsonPath: '.status.message' },
  ],
})

export type Verification = TypeOf<typeof VerificationBody> & {
  readonly apiVersion: string
  readonly kind: 'Verification'
  readonly metadata: StoredMeta
}
