import { createHash } from 'node:crypto'
import type { Blueprint } from '../api/blueprint.ts'
import { canonicalJson } from '../catalog/canonical.ts'
import type { BackupRecord } from '../catalog/record.ts'
import { kubeError } from '../kube/errors.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import type { ImportTarget } from './import-catalog.ts'

type Json = Record<string, unknown>

/** What becomes of one Blueprint of the catalog. */
export interface BlueprintPlan {
  readonly what: 'create' | 'present'
  /** Here: with a suffix where another one has the name already. */
  readonly name: string
  /** Ids of the records that were made with it. */
  readonly uses: ReadonlySet<string>
  readonly object: Blueprint
}

/** One per content: the newest keeps its name, older ones and those whose name is taken by another get a suffix of their hash. */
export async function planBlueprints(
  target: Pick<ImportTarget, 'kube' | 'namespace' | 'signal'>,
  records: readonly BackupRecord[],
): Promise<BlueprintPlan[]> {
  const versions = new Map<
    string,
    { readonly name: string; readonly body: Json; readonly hash: string; readonly uses: Set<string> }
  >()
  for (const { id, blueprint } of records.toSorted((a, b) => Date.parse(b.startedAt) - Date.parse(a.startedAt))) {
    if (!blueprint.body) continue
    const hash = contentHash(blueprint.body)
    const known = versions.get(`${blueprint.name} ${hash}`)
    if (known) known.uses.add(id)
    else versions.set(`${blueprint.name} ${hash}`, { name: blueprint.name, body: blueprint.body, hash, uses: new Set([id]) })
  }
  const plans: BlueprintPlan[] = []
  const taken = new Set<string>()
  for (const version of versions.values()) {
    const plan = await planBlueprint(target, version, taken)
    taken.add(plan.name)
    plans.push(plan)
  }
  return plans
}

async function planBlueprint(
  { kube, namespace, signal }: Pick<ImportTarget, 'kube' | 'namespace' | 'signal'>,
  {
    name,
    body,
    hash,
    uses,
  }: { readonly name: string; readonly body: Json; readonly hash: string; readonly uses: ReadonlySet<string> },
  taken: ReadonlySet<string>,
): Promise<BlueprintPlan> {
  for (const candidate of [name, `${name}-${hash.slice(0, 8)}`]) {
    const object = inNamespace(body, candidate, namespace)
    const found = await kube.resource(ownKinds.blueprints).find({ namespace, name: candidate }, { signal })
    if (found && contentHash(found as unknown as Json) === hash) return { what: 'present', name: candidate, uses, object }
    if (!found && !taken.has(candidate)) return { what: 'create', name: candidate, uses, object }
  }
  const last = `${name}-${hash.slice(0, 16)}`
  return { what: 'create', name: last, uses, object: inNamespace(body, last, namespace) }
}

/** True if it was made. */
export async function applyBlueprint(
  { kube, signal }: Pick<ImportTarget, 'kube' | 'signal'>,
  { what, object }: BlueprintPlan,
): Promise<boolean> {
  if (what === 'present') return false
  try {
    await kube.resource(ownKinds.blueprints).create(object, { signal })
    return true
  } catch (error) {
    if (kubeError.is(error, 'KUBE_ALREADY_EXISTS')) return false
    throw error
  }
}

/** Of what it says, not of its name and place. */
function contentHash({ metadata, apiVersion: _version, kind: _kind, ...content }: Json): string {
  const { annotations = {} } = (metadata ?? {}) as { readonly annotations?: Json }
  const ours = Object.fromEntries(Object.entries(annotations).filter(([name]) => name.startsWith('holdfast.dev/')))
  return createHash('sha256').update(canonicalJson({ content, ours })).digest('hex')
}

function inNamespace(body: Json, name: string, namespace: string): Blueprint {
  const { labels, annotations } = (body['metadata'] ?? {}) as { readonly labels?: Json; readonly annotations?: Json }
  const metadata = { name, namespace, ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) }
  // A Blueprint as it was read from a server, with another name.
  return { apiVersion: 'cr.kanister.io/v1alpha1', kind: 'Blueprint', ...body, metadata } as unknown as Blueprint
}
