import { toStructuralSchema, type Json } from '../schema/crd.ts'
import { type Kind } from './kind.ts'
import { names } from './names.ts'

/**
 * The CustomResourceDefinition of a kind. None has a status subresource: an ActionSet that is created with its status (a
 * restored one) must carry it in the same write, or it would run again. Kanister's kinds have no required fields.
 */
export function customResourceDefinition(kind: Kind): Json {
  const body = toStructuralSchema(kind.schema)
  const isOurs = kind.group !== names.kanisterGroup
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${kind.group}`, labels: { 'app.kubernetes.io/part-of': 'holdfast' } },
    spec: {
      group: kind.group,
      names: { kind: kind.kind, listKind: `${kind.kind}List`, plural: kind.plural, singular: kind.singular },
      scope: 'Namespaced',
      versions: [
        {
          name: kind.version,
          served: true,
          storage: true,
          ...(kind.columns.length > 0 ? { additionalPrinterColumns: kind.columns } : {}),
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: kind.description,
              ...(isOurs && body['required'] ? { required: body['required'] } : {}),
              properties: {
                apiVersion: { type: 'string' },
                kind: { type: 'string' },
                metadata: { type: 'object' },
                ...((isOurs ? body['properties'] : withoutRequired(body['properties'])) as Json),
              },
            },
          },
        },
      ],
    },
  }
}

function withoutRequired(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutRequired)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key, inner]) => !(key === 'required' && Array.isArray(inner)))
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutRequired(inner)]))
}
