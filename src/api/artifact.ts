import { map, object, optional, text, type TypeOf } from '../schema/build.ts'

/** What an action leaves for a later one: free pairs, and the JSON of a kopia snapshot where one was pushed. */
export const Artifact = object(
  {
    keyValue: optional(map(text('Value.'), 'Free pairs.')),
    kopiaSnapshot: optional({
      ...text('JSON text that kando printed for a kopia push.'),
      'x-kubernetes-preserve-unknown-fields': true,
    } as ReturnType<typeof text>),
  },
  'A named result of an action.',
)
export type Artifact = TypeOf<typeof Artifact>
export type Artifacts = Record<string, Artifact>
