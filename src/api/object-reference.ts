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

/** What the object is, for people and as part of keys: its kind, or else its resource; empty where neither is said. kanctl writes fields that were not given as empty. */
export function kindOrResource({ kind, resource }: Pick<ObjectReference, 'kind' | 'resource'>): string {
  return kind || resource || ''
}

/** True for what names a Secret, by the plural that Kanister reads first or by its kind. */
export function isSecretReference({ kind, resource }: Pick<ObjectReference, 'kind' | 'resource'>): boolean {
  return (resource || kind || '').toLowerCase().startsWith('secret')
}
