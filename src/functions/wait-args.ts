import { ObjectReference } from '../api/object-reference.ts'
import { list, object, optional, text, type TypeOf } from '../schema/build.ts'

const Condition = object({
  condition: text('Met when it renders to exactly `true`, blanks around it aside.'),
  objectReference: ObjectReference,
})

/** Arguments of Wait and WaitV2. */
export const waitArgs = {
  timeout: text('How long to wait at most: a duration such as `90s`, `5m`, `1h30m`.'),
  conditions: object(
    {
      anyOf: optional(list(Condition, 'One of them is enough.')),
      allOf: optional(list(Condition, 'All of them are needed.')),
    },
    'What to wait for: `anyOf` and `allOf`, each a list of `condition` and `objectReference` (apiVersion, group, resource, name, namespace). With both, either will do.',
  ),
} as const

const WaitArgs = object(waitArgs)
export type WaitArgs = TypeOf<typeof WaitArgs>
export type ConditionArgs = TypeOf<typeof Condition>

export function checkWaitArgs({ conditions }: WaitArgs): string[] {
  const { anyOf = [], allOf = [] } = conditions
  const faults = [...anyOf, ...allOf].flatMap(({ objectReference }) =>
    (['apiVersion', 'resource', 'name'] as const)
      .filter((field) => !objectReference[field])
      .map((field) => `an objectReference of conditions lacks ${field}`),
  )
  return anyOf.length + allOf.length === 0 ? ['conditions names nothing to wait for: give anyOf or allOf'] : faults
}

/** What holds for both. */
export const waitNotes = [
  'A condition that is not well formed fails the phase at once; in Kanister it is not met until the time is over.',
  'An object that is not there, or to which a condition cannot be put, counts as not met, also in the first entry of `anyOf`; the last such reason stands in the error when the time is over.',
  'The time goes on over a restart of the engine.',
  'Objects are looked at every three seconds at the latest. Custom and cluster-wide kinds need a right (`get`) of your own.',
] as const
