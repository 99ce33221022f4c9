import type { FinishedBackup } from '../catalog/build-record.ts'
import { fieldAnnotations } from '../api/names.ts'
import type { Profile } from '../api/profile.ts'
import { messageOf } from '../base/errors.ts'
import { kubeError } from '../kube/errors.ts'
import { kinds, type Secret } from '../kube/kinds.ts'
import type { Kube } from '../kube/kube.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import { cleanManifest } from './clean-manifest.ts'
import type { Neighbourhood } from './related-objects.ts'

type Json = Record<string, unknown>

/** Together, in bytes of JSON. */
const largestSecrets = 512 * 1024
const mostSecrets = 64
/** Issued by a cluster for itself: of no use in another. */
const tokenType = 'kubernetes.io/service-account-token'

export interface RecordedSecrets {
  readonly secrets: readonly Json[]
  /** What belongs there and could not be read, or is too large: names and reasons. */
  readonly omitted: readonly string[]
}

/**
 * The Secrets that the pods of an application name, if the Profile of the backup says that they may go to its location. What is not readable
 * fails nothing: it is named.
 */
export async function gatherSecrets(
  kube: Pick<Kube, 'resource'>,
  { run, actionIndex, defaultProfile }: Pick<FinishedBackup, 'run' | 'actionIndex' | 'defaultProfile'>,
  { namespace, secrets }: Pick<Neighbourhood, 'namespace' | 'secrets'>,
  signal: AbortSignal,
): Promise<RecordedSecrets> {
  const omitted: string[] = []
  if (secrets.length === 0 || namespace === '') return { secrets: [], omitted }
  const ref = run.spec.actions[actionIndex]?.action.profile ?? defaultProfile
  const place = { namespace: ref?.namespace ?? run.metadata.namespace, name: ref?.name ?? '' }
  try {
    if (place.name === '' || !mayRecord(await kube.resource(ownKinds.profiles).get(place, { signal })))
      return { secrets: [], omitted }
  } catch (error) {
    signal.throwIfAborted()
    return {
      secrets: [],
      omitted: [`Secrets: Profile ${place.name} does not say whether they are wanted: ${messageOf(error)}`],
    }
  }
  const found: Json[] = []
  let left = largestSecrets
  for (const [index, { name, optional }] of secrets.entries()) {
    if (index === mostSecrets) {
      omitted.push(`${secrets.length - mostSecrets} further Secrets: at most ${mostSecrets} are kept`)
      break
    }
    const kept = await read(kube, { namespace, name }, signal)
    if (kept === undefined && optional) continue
    if (kept === undefined || typeof kept === 'string') {
      omitted.push(`Secret ${name}: ${kept ?? 'there is none of that name'}`)
      continue
    }
    if (kept['type'] === tokenType) continue
    left -= Buffer.byteLength(JSON.stringify(kept))
    if (left >= 0) found.push(kept)
    else omitted.push(`Secret ${name}: the Secrets together are larger than ${largestSecrets} bytes`)
  }
  return { secrets: found, omitted }
}

function mayRecord({ recordSecrets, metadata }: Profile): boolean {
  return recordSecrets ?? metadata.annotations?.[fieldAnnotations.recordSecrets] === 'true'
}

/** As it can be created again; why it cannot be read, as a text; undefined when there is none. */
async function read(
  kube: Pick<Kube, 'resource'>,
  place: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Json | string | undefined> {
  try {
    const secret = await kube.resource<Secret>(kinds.secrets).get(place, { signal })
    return cleanManifest({ apiVersion: 'v1', kind: 'Secret', ...(secret as unknown as Json) })
  } catch (error) {
    signal.throwIfAborted()
    return kubeError.is(error, 'KUBE_NOT_FOUND') ? undefined : messageOf(error)
  }
}
