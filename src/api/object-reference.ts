import { object, optional, text, type TypeOf } from '../schema/build.ts'

/** A reference to any object. Kanister's words: `apiVersion` is the version only (`v1`), `resource` the plural. */
export const ObjectReference = object(
  {
    apiVersion: optional(text('API version without the group, such as v1.')),
    group: optional(text('API group; empty for core.')),
    resource: optional(text('Plural resource name, such as statefulsets.')),
    kind: optional(text('Kind; compared without case.')),
    name: optional(text('Name of the object.')),
    namespace: optional(text('Namespace of the object.')),
  },
  'Reference to an object of the cluster.',
)
export type ObjectReference = TypeOf<typeof ObjectReference>
