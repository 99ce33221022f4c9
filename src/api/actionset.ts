import { flag, freeObject, integer, list, map, object, oneOf, optional, text, type TypeOf } from '../schema/build.ts'
import { Artifact } from './artifact.ts'
import { defineKind, type StoredMeta } from './kind.ts'
import { names } from './names.ts'
import { ObjectReference } from './object-reference.ts'

export const states = ['pending', 'running', 'failed', 'complete'] as const
export type State = (typeof states)[number]

export const ActionSpec = object(
  {
    name: optional(text('Key into the actions of the Blueprint.')),
    object: optional(ObjectReference),
    blueprint: optional(text('Name of the Blueprint, in the namespace of the ActionSet.')),
    artifacts: optional(map(Artifact, 'Input artifacts: .ArtifactsIn.')),
    configMaps: optional(map(ObjectReference, 'ConfigMaps: .ConfigMaps.')),
    secrets: optional(map(ObjectReference, 'Secrets: .Secrets.')),
    profile: optional(ObjectReference),
    podOverride: optional(freeObject('Fragment of a pod spec, merged over pods that functions make.')),
    options: optional(map(text('Value.'), 'Options: .Options.')),
    preferredVersion: optional(text('Version of the functions; v0.0.0 when empty.')),
    podLabels: optional(map(text('Value.'), 'Labels for pods that functions make.')),
    podAnnotations: optional(map(text('Value.'), 'Annotations for pods that functions make.')),
  },
  'One action on one object.',
)
export type ActionSpec = TypeOf<typeof ActionSpec>

const progressFields = {
  sizeDownloadedB: optional(integer('Bytes read from the location.')),
  sizeUploadedB: optional(integer('Bytes written to the location.')),
  estimatedDownloadSizeB: optional(integer('Bytes expected to be read.')),
  estimatedUploadSizeB: optional(integer('Bytes expected to be written.')),
  estimatedTimeSeconds: optional(integer('Seconds expected to be left.')),
  lastTransitionTime: optional(text('When a number here changed last.', { format: 'date-time' })),
}

export const PhaseProgress = object({ progressPercent: optional(text('0 to 100.')), ...progressFields }, 'Progress of a phase.')
export type PhaseProgress = TypeOf<typeof PhaseProgress>

export const PhaseStatus = object(
  {
    name: text('Name of the phase.'),
    state: text('pending, running, failed or complete.'),
    output: optional(freeObject('What the phase reported.')),
    progress: optional(PhaseProgress),
  },
  'State of a phase.',
)
export type PhaseStatus = TypeOf<typeof PhaseStatus>

export const ActionStatus = object(
  {
    name: optional(text('Name of the action.')),
    object: optional(ObjectReference),
    blueprint: optional(text('Name of the Blueprint.')),
    phases: optional(list(PhaseStatus, 'States of the phases, in order.')),
    artifacts: optional(
      map(Artifact, 'Output artifacts: the templates of the Blueprint until the action succeeds, then their values.'),
    ),
    deferPhase: optional(PhaseStatus),
  },
  'State of an action.',
)
export type ActionStatus = TypeOf<typeof ActionStatus>

export const ActionSetProgress = object(
  {
    runningPhase: optional(text('Name of the phase that runs.')),
    percentCompleted: optional(text('0 to 100.')),
    ...progressFields,
  },
  'Progress over all actions.',
)
export type ActionSetProgress = TypeOf<typeof ActionSetProgress>

export const waitingReasons = ['Queue', 'Object', 'Namespace', 'Approval'] as const

export const Waiting = object(
  {
    for: oneOf(
      waitingReasons,
      'Queue: a free worker. Object: an ActionSet that works on the same object. Namespace: its limit is reached. Approval: a person.',
    ),
    message: text('The same for people, with the way out.'),
    position: optional(integer('1 is next; shown for the first ones only, and renewed every few seconds.')),
    holder: optional(text('The ActionSet it waits for, as namespace/name.')),
    phase: optional(text('The phase that waits for approval.')),
  },
  'What it waits for; absent when it waits for nothing.',
)
export type Waiting = TypeOf<typeof Waiting>

export const ActionSetStatus = object(
  {
    state: optional(text('pending, running, failed or complete.')),
    reason: optional(oneOf(['Cancelled', 'Interrupted', 'Invalid', 'Failed'], 'Why it failed, in one word.')),
    actions: optional(list(ActionStatus, 'One per action of the spec, in its order.')),
    error: optional(object({ message: optional(text('The last failure.')) }, 'The failure.')),
    progress: optional(ActionSetProgress),
    warnings: optional(list(text('What happened.'), 'What deserves a look although nothing failed.')),
    waiting: optional(Waiting),
    catalogued: optional(
      flag('Every backup it made has a record in its location: this object is not the only one that knows of it.'),
    ),
  },
  'A projection of the Run of this ActionSet.',
)
export type ActionSetStatus = TypeOf<typeof ActionSetStatus>

export const executionModes = ['Parallel', 'Sequential'] as const
export const serializeModes = ['Object', 'None'] as const

/** Bounds of a priority. */
export const priorityLimit = 1_000

export const ActionSetSpec = object(
  {
    executionMode: optional(
      oneOf(executionModes, 'Whether actions run side by side (as in Kanister, the default) or one after another.'),
    ),
    priority: optional(
      integer('Higher goes first. Absent: 100 for a restore, -100 for what a Schedule made, else 0.', {
        minimum: -priorityLimit,
        maximum: priorityLimit,
      }),
    ),
    serialize: optional(
      oneOf(
        serializeModes,
        'Object: waits while another ActionSet that says so works on one of its objects. None: goes beside it. Absent: Object for what a Schedule made, else None.',
      ),
    ),
    queueTimeout: optional(text('How long it may wait before it begins, as 30m or 1h30m; then it fails.')),
    ttlAfterFinished: optional(
      text('How long it is kept after its end, as 72h; never shorter than it is the only record of a backup.'),
    ),
    actions: optional(list(ActionSpec, 'What to do.')),
  },
  'What is asked for. An ActionSet runs once: editing it later does nothing.',
)
export type ActionSetSpec = TypeOf<typeof ActionSetSpec>

export const ActionSetBody = object({ spec: optional(ActionSetSpec), status: optional(ActionSetStatus) })

export const actionSetKind = defineKind({
  group: names.kanisterGroup,
  version: names.version,
  kind: 'ActionSet',
  plural: 'actionsets',
  singular: 'actionset',
  description: 'Actions of Blueprints, asked for on real objects.',
  schema: ActionSetBody,
  columns: [
    {
      name: 'Progress',
      type: 'string',
      jsonPath: '.status.progress.percentCompleted',
      description: 'Percent of the phases done.',
    },
    { name: 'SizeDownloadedB', type: 'integer', jsonPath: '.status.progress.sizeDownloadedB' },
    { name: 'SizeUploadedB', type: 'integer', jsonPath: '.status.progress.sizeUploadedB' },
    { name: 'EstimatedDownloadSizeB', type: 'integer', jsonPath: '.status.progress.estimatedDownloadSizeB' },
    { name: 'EstimatedUploadSizeB', type: 'integer', jsonPath: '.status.progress.estimatedUploadSizeB' },
    { name: 'Running Phase', type: 'string', jsonPath: '.status.progress.runningPhase' },
    { name: 'Last Transition Time', type: 'string', format: 'date-time', jsonPath: '.status.progress.lastTransitionTime' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
  ],
})

export type ActionSet = TypeOf<typeof ActionSetBody> & {
  readonly apiVersion: string
  readonly kind: 'ActionSet'
  readonly metadata: StoredMeta
}
