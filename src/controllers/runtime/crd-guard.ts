import { customResourceDefinition } from '../../api/crd.ts'
import { kinds as ownKindList } from '../../api/kinds.ts'
import { kinds } from '../../kube/kinds.ts'
import type { Kube } from '../../kube/kube.ts'
import type { Logger } from '../../telemetry/logger.ts'

/**
 * Reports fields of ours that the CRDs in the cluster lack. A Kanister beside us writes its own CRDs at each of its starts; the
 * API server then drops these fields without a word. The annotations of the same meaning go on working.
 */
export async function reportMissingFields(kube: Pick<Kube, 'resource'>, log: Logger, signal: AbortSignal): Promise<void> {
  for (const kind of ownKindList) {
    const name = `${kind.plural}.${kind.group}`
    const found = await kube.resource(kinds.customResourceDefinitions).find({ name }, { signal })
    const missing = missingFields(customResourceDefinition(kind), found ?? {})
    if (missing.length === 0) continue
    const fields = missing.slice(0, 20).join(', ')
    log.warn(
      { crd: name, fields },
      'the CRD lacks fields of this version; kubectl apply --server-side --force-conflicts -f crds/ brings them back',
    )
  }
}

/** Paths of the properties that the schema of `wanted` has and that of `found` lacks; nothing below a missing one. */
export function missingFields(wanted: unknown, found: unknown): string[] {
  return compare(schemaOf(wanted), schemaOf(found), '')
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly additionalProperties?: Schema | boolean
}

function schemaOf(crd: unknown): Schema | undefined {
  const { spec } = (crd ?? {}) as { spec?: { versions?: ReadonlyArray<{ schema?: { openAPIV3Schema?: Schema } }> } }
  return spec?.versions?.[0]?.schema?.openAPIV3Schema
}

function compare(wanted: Schema | undefined, found: Schema | undefined, path: string): string[] {
  if (!wanted) return []
  if (!found) return [path || 'everything']
  return [
    ...Object.entries(wanted.properties ?? {}).flatMap(([name, inner]) =>
      compare(inner, found.properties?.[name], path === '' ? name : `${path}.${name}`),
    ),
    ...compare(wanted.items, found.items, `${path}[]`),
    ...compare(inner(wanted), inner(found), `${path}.*`),
  ]
}

function inner({ additionalProperties }: Schema): Schema | undefined {
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}
