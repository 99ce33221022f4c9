import type { FinishedBackup, Surroundings } from '../catalog/build-record.ts'
import { apiVersionOf } from '../api/kind.ts'
import { names } from '../api/names.ts'
import { isSecretReference } from '../api/object-reference.ts'
import { scheduleKind } from '../api/schedule.ts'
import { messageOf } from '../base/errors.ts'
import { kinds, type Service } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import type { KubeObject, ResourceDef } from '../kube/objects.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { cleanManifest } from './clean-manifest.ts'
import { gatherSecrets } from './recorded-secrets.ts'
import { hashOf } from './plan.ts'
import { neighbourhoodOf, type Neighbourhood, type Related } from './related-objects.ts'

type Json = Record<string, unknown>

/** Together, in bytes of JSON; a record is one object that every listing may read. */
const largestManifests = 512 * 1024
const mostRelated = 64

const collections: Readonly<Record<Related['kind'], ResourceDef<KubeObject>>> = {
  ConfigMap: kinds.configMaps,
  PersistentVolumeClaim: kinds.persistentVolumeClaims,
  ServiceAccount: kinds.serviceAccounts,
}

/**
 * What a restore on a cluster that never saw the application needs beside the data: its manifests, its images, the whole Blueprint.
 * What cannot be read (no right, gone meanwhile, too large) is named in `omitted` and fails nothing: the data is what counts.
 */
export async function gatherSurroundings(
  kube: Pick<Kube, 'resource'>,
  backup: Pick<FinishedBackup, 'run' | 'actionIndex' | 'defaultProfile'>,
  signal: AbortSignal,
): Promise<Surroundings> {
  const { run, actionIndex } = backup
  const spec = run.spec.actions[actionIndex]
  const inputs = run.status.actions[actionIndex]?.inputs
  const omitted: string[] = []
  if (!spec || !inputs) return { images: [], manifests: [], omitted }
  const around = neighbourhoodOf(inputs, spec.action.object ?? {})
  const tolerate = async <T>(what: string, read: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await read()
    } catch (error) {
      signal.throwIfAborted()
      omitted.push(`${what}: ${messageOf(error)}`)
      return undefined
    }
  }
  const body = await tolerate(`Blueprint ${spec.action.blueprint ?? ''}`, () =>
    readBlueprint(kube, run.metadata.namespace, spec, signal),
  )
  const schedule = await readSchedule(kube, run, tolerate, signal)
  const services = await tolerate('Services', () => readServices(kube, around, signal))
  const objects: Json[] = []
  for (const { kind, name } of around.related.slice(0, mostRelated)) {
    const place = { namespace: around.namespace, name }
    const found = await tolerate(`${kind} ${name}`, () => kube.resource(collections[kind]).get(place, { signal }))
    if (found) objects.push(withKind(found as unknown as Json, kind, 'v1'))
  }
  if (around.related.length > mostRelated)
    omitted.push(`${around.related.length - mostRelated} further objects: at most ${mostRelated} are kept`)
  const isContents = isSecretReference(spec.action.object ?? {})
  const target = isContents || !inputs.object ? [] : [inputs.object]
  const recorded = await gatherSecrets(kube, backup, around, signal)
  const manifests = [...objects, ...(services ?? []), ...target].map(cleanManifest)
  return {
    ...(body ? { blueprint: body } : {}),
    ...(schedule ? { schedule } : {}),
    images: around.images,
    manifests: withinBounds(manifests, omitted),
    omitted: [...omitted, ...recorded.omitted],
    ...(recorded.secrets.length > 0 ? { secrets: recorded.secrets } : {}),
    ...(recorded.omitted.length > 0 ? { warnings: [secretsMissing(recorded.omitted)] } : {}),
  }
}

function secretsMissing(omitted: readonly string[]): string {
  return `the backup is good, but its record lacks Secrets: ${omitted.join('; ')}`
}

/** The Schedule that made the ActionSet, so that a new cluster can go on with it. */
async function readSchedule(
  kube: Pick<Kube, 'resource'>,
  { spec, metadata }: FinishedBackup['run'],
  tolerate: <T>(what: string, read: () => Promise<T>) => Promise<T | undefined>,
  signal: AbortSignal,
): Promise<Json | undefined> {
  const name = spec.actionSet.labels?.[names.schedule]
  if (name === undefined) return undefined
  const place = { namespace: metadata.namespace, name }
  const found = await tolerate(`Schedule ${name}`, () => kube.resource(ownKinds.schedules).get(place, { signal }))
  if (!found) return undefined
  const apiVersion = apiVersionOf(scheduleKind)
  return cleanManifest({ apiVersion, kind: scheduleKind.kind, ...(found as unknown as Json) })
}

async function readBlueprint(
  kube: Pick<Kube, 'resource'>,
  namespace: string,
  { action, blueprintHash }: FinishedBackup['run']['spec']['actions'][number],
  signal: AbortSignal,
): Promise<NonNullable<Surroundings['blueprint']>> {
  const blueprint = await kube.resource(ownKinds.blueprints).get({ namespace, name: action.blueprint ?? '' }, { signal })
  return { body: cleanManifest(blueprint as unknown as Json), changed: hashOf(blueprint) !== blueprintHash }
}

async function readServices(kube: Pick<Kube, 'resource'>, around: Neighbourhood, signal: AbortSignal): Promise<Json[]> {
  if (around.namespace === '' || Object.keys(around.podLabels).length === 0) return []
  const { items } = await kube.resource(kinds.services).list({ namespace: around.namespace, signal })
  return items
    .filter((service) => belongs(service, around))
    .map((service) => withKind(service as unknown as Json, 'Service', 'v1'))
}

function belongs({ metadata, spec }: Service, { podLabels, serviceName }: Neighbourhood): boolean {
  if (metadata?.name === serviceName) return true
  const selector = Object.entries(spec?.selector ?? {})
  return selector.length > 0 && selector.every(([label, value]) => podLabels[label] === value)
}

/** Items of a list come without them. */
function withKind(object: Json, kind: string, apiVersion: string): Json {
  return { apiVersion, kind, ...object }
}

function withinBounds(manifests: readonly Json[], omitted: string[]): Json[] {
  let left = largestManifests
  return manifests.filter((manifest) => {
    left -= Buffer.byteLength(JSON.stringify(manifest))
    if (left >= 0) return true
    const { name } = manifest['metadata'] as { readonly name?: string }
    omitted.push(`${String(manifest['kind'])} ${name ?? ''}: the manifests together are larger than ${largestManifests} bytes`)
    return false
  })
}
