import {
  anything,
  flag,
  freeObject,
  integer,
  list,
  map,
  object,
  oneOf,
  optional,
  text,
  uncheckedByServer,
  type TypeOf,
} from '../schema/build.ts'
import { ActionSpec, PhaseProgress, executionModes, states } from './actionset.ts'
import { Artifact } from './artifact.ts'
import { BlueprintAction, templateLanguages } from './blueprint.ts'
import { defineKind, type StoredMeta } from './kind.ts'
import { names } from './names.ts'

/**
 * The journal of one ActionSet. It has the ActionSet's namespace and is named from its UID, so that a repeated create meets
 * itself; it has no ownerReference, because it must outlive a deleted ActionSet until the deferred phase ran.
 *
 * `spec` is what was asked, frozen when the Run was made; it never changes. `status` is what happened. Actions stand in a map
 * by their index ("0", "1", …), not in a list, so that two workers can each patch their own action, and so that a JSON patch
 * can test the fence of one action and write in the same request.
 */
export const Fence = object(
  {
    owner: text('Stable name of the worker that owns the action, empty when nobody does.'),
    instance: text('The start of that worker: a process that starts again has another one.'),
    attempt: integer('Rises each time somebody takes the action. A write of an older attempt is refused.'),
  },
  'Who may write the state of an action.',
)
export type Fence = TypeOf<typeof Fence>

/** A Secret or ConfigMap by reference: contents of Secrets are never kept in a Run. */
export const FrozenReference = object({
  name: text('Name.'),
  namespace: text('Namespace.'),
  resourceVersion: text('Its version when the action was launched.'),
})
export type FrozenReference = TypeOf<typeof FrozenReference>

/**
 * The inputs of an action as they were at launch. A resume renders from these only: a scaled-down application has no pods,
 * and an edited Blueprint must not change a run in flight.
 */
export const FrozenInputs = object(
  {
    time: text('.Time: RFC 3339 with nanoseconds, as Go prints it.'),
    seed: text('Hex; every random choice of the templates and functions of this action comes from it.'),
    object: optional(freeObject('The object acted on.')),
    workload: optional(freeObject('Pods, containers and volumes of the object, where it is a workload.')),
    configMaps: optional(map(freeObject('A ConfigMap.'), 'ConfigMaps of the ActionSet.')),
    secrets: optional(map(FrozenReference, 'Secrets of the ActionSet.')),
    profile: optional(freeObject('The Profile; its credential by reference.')),
  },
  'Inputs of an action, frozen at launch.',
)
export type FrozenInputs = TypeOf<typeof FrozenInputs>

export const RunFailure = object(
  {
    message: text('What happened, to which object, and what to do next.'),
    code: optional(text('Code of the error.')),
  },
  'A failure.',
)
export type RunFailure = TypeOf<typeof RunFailure>

export const RunPhase = object(
  {
    name: text('Name of the phase.'),
    state: oneOf(states, 'State of the phase.'),
    attempt: optional(integer('Times that this phase was started.')),
    suspendedAt: optional(text('When it began to wait for approval.', { format: 'date-time' })),
    approved: optional(flag('A person lets it go on; written by the operator.')),
    round: optional(integer('Times that it began anew: first, by retry, and after a crash with `resume: restart`.')),
    roundStartedAt: optional(text('When it began anew last: its timeout counts from here.', { format: 'date-time' })),
    retries: optional(integer('Times that it was tried again.')),
    retryAt: optional(text('It failed and is tried again then.', { format: 'date-time' })),
    lastError: optional(RunFailure),
    checkpoint: optional(anything('What the function wrote down before or between its side effects.')),
    objects: optional(freeObject('The rendered references of the phase.')),
    configMaps: optional(map(freeObject('A ConfigMap.'), 'ConfigMaps of the phase as they were when it started.')),
    output: optional(freeObject('What the phase reported.')),
    progress: optional(PhaseProgress),
    error: optional(RunFailure),
    warnings: optional(list(text('What happened.'), 'What deserves a look although the phase went on.')),
    startedAt: optional(text('When it was started first.', { format: 'date-time' })),
    endedAt: optional(text('When it ended.', { format: 'date-time' })),
  },
  'Journal of a phase.',
)
export type RunPhase = TypeOf<typeof RunPhase>

export const RunAction = object(
  {
    state: oneOf(states, 'State of the action.'),
    dispatch: integer('Jobs put into the queue for this action so far; part of the job id.'),
    fence: Fence,
    launched: optional(flag('The inputs were frozen; from here on the deferred phase must run.')),
    inputs: optional(FrozenInputs),
    phases: list(RunPhase, 'Phases, in order.'),
    deferPhase: optional(RunPhase),
    artifacts: optional(map(Artifact, 'Rendered output artifacts.')),
    record: optional(text('Key of the record beside the backup; empty when it could not be written.')),
    warnings: optional(list(text('What happened.'), 'What deserves a look although the action went on.')),
    error: optional(RunFailure),
    cancelled: optional(flag('A cancel was seen; phases that had not begun do not begin.')),
    startedAt: optional(text('When it was launched.', { format: 'date-time' })),
    endedAt: optional(text('When it ended.', { format: 'date-time' })),
  },
  'Journal of an action.',
)
export type RunAction = TypeOf<typeof RunAction>

export const RunActionSpec = object(
  {
    action: ActionSpec,
    blueprintHash: optional(text('SHA-256 of the Blueprint the action was read from.')),
    templateLanguage: optional(oneOf(templateLanguages, 'Language of the templates.')),
    blueprint: optional(BlueprintAction),
  },
  'An action as it was asked for, with the Blueprint as it was.',
)
export type RunActionSpec = TypeOf<typeof RunActionSpec>

export const RunBody = object({
  spec: object(
    {
      actionSet: object(
        {
          name: text('Name of the ActionSet.'),
          uid: text('UID of the ActionSet.'),
          labels: optional(map(text('Value.'), 'Its labels.')),
        },
        'The ActionSet.',
      ),
      executionMode: optional(oneOf(executionModes, 'Whether actions run side by side or in order.')),
      queue: optional(
        object(
          {
            priority: optional(integer('Higher goes first. Absent: 0.')),
            objects: optional(list(text('group/kind/namespace/name.'), 'Objects that it shares with no other such Run.')),
            timeoutMs: optional(integer('How long it may wait before it begins, in ms.')),
          },
          'How it stands in the queue.',
        ),
      ),
      actions: list(uncheckedByServer(RunActionSpec), 'Actions.'),
    },
    'What was asked for, frozen.',
  ),
  status: object(
    {
      state: oneOf(states, 'State of the whole.'),
      actions: map(uncheckedByServer(RunAction), 'Journal of each action, by its index.'),
      cancel: optional(
        object(
          { reason: text('Why, for people.'), at: text('When it was asked for.', { format: 'date-time' }) },
          'A cancel was asked for; written by the operator.',
        ),
      ),
      held: optional(
        object(
          { since: text('Since when.', { format: 'date-time' }) },
          'It may not begin yet: its object is taken or its namespace is full. Written by the operator; no worker takes its actions.',
        ),
      ),
      reason: optional(text('Why it failed, in one word.')),
      endedAt: optional(text('When everything had ended.', { format: 'date-time' })),
    },
    'What happened.',
  ),
})

export const runKind = defineKind({
  group: names.group,
  version: names.version,
  kind: 'Run',
  plural: 'runs',
  singular: 'run',
  description: 'The journal of an ActionSet. Written by the engine only.',
  schema: RunBody,
  columns: [
    { name: 'ActionSet', type: 'string', jsonPath: '.spec.actionSet.name' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Reason', type: 'string', jsonPath: '.status.reason' },
    { name: 'Owner', type: 'string', jsonPath: '.status.actions.0.fence.owner' },
    { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
  ],
})

export type Run = TypeOf<typeof RunBody> & {
  readonly apiVersion: string
  readonly kind: 'Run'
  readonly metadata: StoredMeta
}

/** The Run of an ActionSet is named from its UID. */
export function runName(actionSetUid: string): string {
  return `run-${actionSetUid}`
}
