import { flag, integer, list, map, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'
import { ActionSpec } from './actionset.ts'
import { defineKind, type StoredMeta } from './kind.ts'
import { names } from './names.ts'
import { ObjectReference } from './object-reference.ts'
import { verificationChecks } from './verification.ts'

/** Kinds that a selector or a label can put under a Schedule, with their collections. */
export const protectedKinds = ['StatefulSet', 'Deployment', 'PersistentVolumeClaim', 'Namespace'] as const
export type ProtectedKind = (typeof protectedKinds)[number]

const count = (what: string): ReturnType<typeof integer> => integer(`${what}; -1 keeps all.`, { minimum: -1 })
const within = (what: string): ReturnType<typeof text> =>
  text(`${what}, as in 1y5m7d2h (years, months, days, hours), counted from the newest backup.`, {
    pattern: '^([0-9]+[ymdh])+$',
  })

export const Retention = object(
  {
    keepLast: optional(count('Newest backups')),
    keepHourly: optional(count('Hours of which the newest backup is kept')),
    keepDaily: optional(count('Days of which the newest backup is kept')),
    keepWeekly: optional(count('ISO weeks of which the newest backup is kept')),
    keepMonthly: optional(count('Months of which the newest backup is kept')),
    keepYearly: optional(count('Years of which the newest backup is kept')),
    keepWithin: optional(within('All backups within this time')),
    keepWithinHourly: optional(within('The newest of each hour within this time')),
    keepWithinDaily: optional(within('The newest of each day within this time')),
    keepWithinWeekly: optional(within('The newest of each week within this time')),
    keepWithinMonthly: optional(within('The newest of each month within this time')),
    keepWithinYearly: optional(within('The newest of each year within this time')),
    deleteAction: optional(text('Action of the Blueprint that removes a backup. @default delete')),
    prune: optional(
      flag('After removals, give the space of their repositories back by pruning, where the action did not. @default true'),
    ),
  },
  'Which backups of each object stay. A backup stays if any rule keeps it; the newest good one always does. Absent: all stay.',
)
export type Retention = TypeOf<typeof Retention>

export const LabelRequirement = object(
  {
    key: text('Label.'),
    operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'How it is compared.'),
    values: optional(list(text('Value.'), 'Values to compare with.')),
  },
  'A condition on a label.',
)
export type LabelRequirement = TypeOf<typeof LabelRequirement>

export const ScheduleSelector = object(
  {
    kinds: list(oneOf(protectedKinds, 'Kind.'), 'Kinds to look for.'),
    namespaces: optional(list(text('Namespace.'), 'Namespaces to look in; all when absent.')),
    matchLabels: optional(map(text('Value.'), 'Labels that the object has.')),
    matchExpressions: optional(list(LabelRequirement, 'Conditions on its labels.')),
  },
  'Objects by their labels; one that appears later is protected from then on.',
)
export type ScheduleSelector = TypeOf<typeof ScheduleSelector>

export const ScheduleVerification = object(
  {
    cron: text('When backups are proven; written as the Schedule’s own, in its time zone.', { minLength: 1 }),
    objectsPerRound: optional(
      integer('How many objects have their turn at a slot: those that were tried longest ago. @default 1', { minimum: 1 }),
    ),
    ...verificationChecks,
    ttl: optional(text('How long an ended Verification is kept; the newest of an object stays. Go duration. @default 720h')),
  },
  'Proves by itself that backups can be restored: each slot makes a Verification of the newest good backup of an object. Absent: nothing is proven.',
)
export type ScheduleVerification = TypeOf<typeof ScheduleVerification>

export const ScheduleSpec = object({
  cron: text('Five fields (minute hour day month weekday), @daily and its kin, or spread ones such as @daily-random.', {
    minLength: 1,
  }),
  timeZone: optional(text('Name such as Europe/Berlin, for cron and for the days of the retention. @default UTC')),
  spread: optional(
    text('Each object starts within this time after the slot, always at the same point of it. Go duration: 30m.'),
  ),
  suspend: optional(flag('Nothing is started while this is true; slots in that time are not made up for.')),
  startingDeadline: optional(text('A slot that could not start within this time is passed over. Go duration: 1h.')),
  concurrencyPolicy: optional(
    oneOf(['Forbid', 'Allow', 'Replace'], 'What happens while the object’s last run goes on. @default Forbid'),
  ),
  missedRuns: optional(
    oneOf(['Once', 'Skip'], 'After an absence of the engine: one run for all that was missed, or none. @default Once'),
  ),
  scaledToZero: optional(oneOf(['Skip', 'Run'], 'What happens to workloads without replicas. @default Skip')),
  action: optional(ActionSpec),
  objects: optional(list(ObjectReference, 'Objects by name.')),
  selector: optional(ScheduleSelector),
  class: optional(
    object(
      {
        default: optional(flag('Also for objects labelled holdfast.dev/policy: default.')),
        namespaceKinds: optional(
          list(
            oneOf(protectedKinds, 'Kind.'),
            'What a label on a Namespace protects: its objects of these kinds. @default StatefulSet',
          ),
        ),
      },
      'Lets owners choose this Schedule by the label holdfast.dev/policy: <its name> on a StatefulSet, Deployment, PersistentVolumeClaim or Namespace; ' +
        'an object’s own label wins over its namespace’s, and `none` takes it out.',
    ),
  ),
  retention: optional(Retention),
  verification: optional(ScheduleVerification),
})
export type ScheduleSpec = TypeOf<typeof ScheduleSpec>

const moment = (what: string): ReturnType<typeof text> => text(what, { format: 'date-time' })

/** A proof that ended. */
const ended = {
  at: moment('When it ended.'),
  verification: text('Name of the Verification.'),
  backup: optional(moment('When the backup began.')),
} as const

const ScheduledProof = object(
  { ...ended, seconds: optional(integer('How long it took.')) },
  'The last time that a backup of it was restored and found good.',
)

const message = text('What is wrong, with which object, and the way out.')

export const ScheduledObject = object(
  {
    since: moment('When it came under this Schedule.'),
    handled: moment('The last slot that was settled: run or passed over. Slots after it are due.'),
    next: optional(moment('When it starts next.')),
    last: optional(
      object(
        {
          actionSet: text('Name of the ActionSet of the last slot that was run.'),
          slot: moment('That slot.'),
          state: text('pending, running, failed or complete; gone when the ActionSet was removed before it ended.'),
        },
        'The last run.',
      ),
    ),
    lastSuccess: optional(moment('When the last good backup of this Schedule began.')),
    lastFailure: optional(
      object(
        { at: moment('When.'), actionSet: text('Name of the ActionSet.'), message: text('Why.') },
        'The last failure since the last success.',
      ),
    ),
    skipped: optional(
      object(
        { count: integer('Slots in all.'), at: moment('The last of them.'), why: text('Why that one was.') },
        'Slots that were passed over.',
      ),
    ),
    lastProven: optional(ScheduledProof),
    lastChecked: optional(
      object(ended, 'The last time that its data was looked at and found sound, and, where the Schedule says so, restored.'),
    ),
    lastDisproved: optional(object({ ...ended, message }, 'Since the last proof: a backup was found to be no good.')),
    lastUnproven: optional(
      object({ ...ended, message }, 'Since the last proof: it could not be tried, which says nothing about the backup.'),
    ),
  },
  'What became of one object.',
)
export type ScheduledObject = TypeOf<typeof ScheduledObject>

export const PrunedRepository = object(
  {
    path: text('The repository, as bucket and key.'),
    profile: text('Profile of its location, as namespace/name.'),
    lost: moment('When it last lost a snapshot.'),
    next: moment('When it is pruned next, or when the prune that is under way was asked for.'),
    actionSet: optional(text('The ActionSet that prunes it now.')),
    waitingBytes: optional(integer('Bytes that are marked and go with a later prune.')),
    fruitless: integer('Prunes in a row that failed or freed nothing; each doubles the time until the next.'),
    message: text('What keeps it from being pruned; empty when nothing does.'),
  },
  'A repository whose space is being given back.',
)
export type PrunedRepository = TypeOf<typeof PrunedRepository>

export const ScheduleStatus = object(
  {
    observed: optional(text('Hash of the spec that this status is of.')),
    message: optional(text('What keeps the Schedule from working as written; empty when nothing does.')),
    objectCount: optional(integer('Objects under this Schedule.')),
    nextRun: optional(moment('When the next object starts.')),
    lastSuccess: optional(moment('When the newest good backup of any object began.')),
    lastFailure: optional(moment('The newest failure.')),
    oldestSuccess: optional(
      moment('Last success of the object that is worst off: no object has lost more than the time since.'),
    ),
    neverSucceeded: optional(integer('Objects that have no good backup of this Schedule yet.')),
    objects: optional(map(ScheduledObject, 'By namespace/kind/name.')),
    retention: optional(
      object(
        {
          kept: integer('Backups that stay.'),
          removing: integer('Backups that are being removed.'),
          removed: integer('Backups that were removed, in all.'),
          failing: integer('Backups whose removal failed; it is tried again.'),
          message: text('What keeps a removal from succeeding; empty when nothing does.'),
          freedBytes: optional(integer('Bytes given back by pruning after removals, in all.')),
          repositories: optional(list(PrunedRepository, 'Repositories that lost snapshots and are not pruned to the end.')),
        },
        'What became of old backups.',
      ),
    ),
    verification: optional(
      object(
        {
          since: moment('Since when backups are proven.'),
          handled: moment('The last slot that was settled.'),
          nextRun: optional(moment('The next slot.')),
          lastProven: optional(
            moment(
              'Last proof of the object that is worst off (last check, where the Schedule restores nothing); absent while one was never proven.',
            ),
          ),
          neverProven: integer('Objects of which no backup was proven yet.'),
          failing: integer('Objects whose last proof failed, or could not be tried.'),
          running: integer('Verifications that have not ended.'),
          skipped: optional(
            object(
              { count: integer('Slots in all.'), at: moment('The last of them.'), why: text('Why that one was.') },
              'Slots that were passed over.',
            ),
          ),
          message: text('What keeps backups from being proven; empty when nothing does.'),
        },
        'Whether backups can be restored.',
      ),
    ),
  },
  'What became of the Schedule. Written by the engine.',
)
export type ScheduleStatus = TypeOf<typeof ScheduleStatus>

export const ScheduleBody = object({ spec: ScheduleSpec, status: optional(ScheduleStatus) })

export const scheduleKind = defineKind({
  group: names.group,
  version: names.version,
  kind: 'Schedule',
  plural: 'schedules',
  singular: 'schedule',
  description: 'Backups at set times, of objects by name or by label, and which of them stay.',
  schema: ScheduleBody,
  columns: [
    { name: 'Cron', type: 'string', jsonPath: '.spec.cron' },
    { name: 'Suspended', type: 'string', jsonPath: '.spec.suspend' },
    { name: 'Objects', type: 'integer', jsonPath: '.status.objectCount' },
    { name: 'Last Success', type: 'date', jsonPath: '.status.lastSuccess' },
    {
      name: 'Worst',
      type: 'date',
      jsonPath: '.status.oldestSuccess',
      description: 'Last success of the object that is worst off.',
    },
    {
      name: 'Proven',
      type: 'date',
      jsonPath: '.status.verification.lastProven',
      description: 'Last proof of the object that is worst off.',
    },
    { name: 'Last Failure', type: 'date', jsonPath: '.status.lastFailure' },
    { name: 'Next Run', type: 'string', jsonPath: '.status.nextRun' },
    { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
  ],
})

export type Schedule = TypeOf<typeof ScheduleBody> & {
  readonly apiVersion: string
  readonly kind: 'Schedule'
  readonly metadata: StoredMeta
}
