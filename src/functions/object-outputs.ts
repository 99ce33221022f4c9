import type { ResourceName } from '../kube/objects.ts'

/** What KubeOps says of an object; in the form of a reference, so that Wait and a later KubeOps can take it. */
export interface ObjectOutputs extends Record<string, string> {
  readonly apiVersion: string
  readonly group: string
  readonly resource: string
  readonly kind: string
  readonly name: string
}

/** `kind` is empty unless the reference had one, as in Kanister; `namespace` is left out for cluster-wide objects. */
export function objectOutputs(
  { group, version, resource }: ResourceName,
  { name, namespace }: { readonly name: string; readonly namespace?: string | undefined },
  kind = '',
): ObjectOutputs {
  return { apiVersion: version, group, resource, kind, name, ...(namespace ? { namespace } : {}) }
}
