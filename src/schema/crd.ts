import type { TSchema } from './build.ts'

/** A JSON object as it stands in YAML. */
export type Json = Record<string, unknown>

/**
 * The structural schema (apiextensions.k8s.io/v1) of a schema value. Differences from JSON Schema that the API server insists
 * on: a record is `additionalProperties`, `patternProperties` is refused; defaults are ours, not the server's, since
 * Kanister's CRDs set none; the words starting with `x-holdfast-` stay here.
 */
export function toStructuralSchema(schema: TSchema): Json {
  const source = schema as unknown as Json
  if (source['x-holdfast-unchecked'] === true) return uncheckedSchema(source)
  const out: Json = {}
  for (const [key, value] of Object.entries(source)) {
    if (key.startsWith('x-holdfast-') || key === 'default' || key === '$id') continue
    if (key === 'properties') out['properties'] = mapValues(value as Json)
    else if (key === 'items') out['items'] = toStructuralSchema(value as TSchema)
    else if (key === 'patternProperties')
      out['additionalProperties'] = toStructuralSchema(Object.values(value as Json)[0] as TSchema)
    else out[key] = value
  }
  return out
}

function uncheckedSchema({ type, description }: Json): Json {
  return { type, ...(description ? { description } : {}), 'x-kubernetes-preserve-unknown-fields': true }
}

function mapValues(properties: Json): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, toStructuralSchema(inner as TSchema)]))
}
