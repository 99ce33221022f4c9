import type { ObjectReference } from '../api/object-reference.ts'
import { fieldAnnotations } from '../api/names.ts'
import type { Credential, Location, Profile } from '../api/profile.ts'
import { ownKinds } from '../kube/own-kinds.ts'
import type { ProfileParams, SecretParams } from '../template/variables.ts'
import { runError } from './errors.ts'
import { getSecret, placeOf, secretParams, type ClusterReader } from './references.ts'

/** The Profile as it stood at launch. Its credential is a reference and stays one. */
export type FrozenProfile = Pick<Profile, 'location' | 'credential' | 'skipSSLVerify'>

export async function freezeProfile(reader: ClusterReader, ref: ObjectReference, signal: AbortSignal): Promise<FrozenProfile> {
  const found = await reader.resource<Profile>(ownKinds.profiles).get(placeOf(ref, 'profiles.cr.kanister.io'), { signal })
  const { location, credential, skipSSLVerify } = found
  return {
    ...(location ? { location: withAnnotated(location, found.metadata.annotations ?? {}) } : {}),
    ...(credential ? { credential } : {}),
    ...(skipSSLVerify === undefined ? {} : { skipSSLVerify }),
  }
}

/** Fields of ours, as annotations where a Kanister's CRD pruned them. */
function withAnnotated(location: Location, annotations: Readonly<Record<string, string>>): Location {
  const given = { ...location }
  for (const field of ['caBundle', 'checksums', 'objectLock'] as const) {
    const annotated = annotations[fieldAnnotations[field]]
    if (annotated !== undefined && (given[field] ?? '') === '') given[field] = annotated
  }
  return given
}

/** Looks the credential up. The location is not checked here, as in Kanister: only a function that uses it can say what it needs. */
export async function resolveProfile(
  reader: ClusterReader,
  profile: FrozenProfile,
  signal: AbortSignal,
): Promise<ProfileParams> {
  return {
    Location: { ...profile.location },
    Credential: needsCredential(profile)
      ? await resolveCredential(reader, profile.credential ?? {}, signal)
      : { Type: '', KeyPair: null, Secret: null, KopiaServerSecret: null },
    SkipSSLVerify: profile.skipSSLVerify ?? false,
  }
}

/** A mounted volume has no key of its own. */
function needsCredential({ location, credential }: FrozenProfile): boolean {
  return location?.type !== 'filestore' || (credential?.type ?? '') !== ''
}

type CredentialParams = ProfileParams['Credential']

async function resolveCredential(
  reader: ClusterReader,
  credential: Credential,
  signal: AbortSignal,
): Promise<CredentialParams> {
  const absent = { KeyPair: null, Secret: null, KopiaServerSecret: null }
  switch (credential.type) {
    case 'keyPair':
      return { ...absent, Type: 'keyPair', KeyPair: await resolveKeyPair(reader, credential, signal) }
    case 'secret':
      return { ...absent, Type: 'secret', Secret: await resolveSecret(reader, credential, signal) }
    default:
      throw runError('RUN_BAD_PROFILE', `CredentialType '${credential.type ?? ''}' not supported; use keyPair or secret`)
  }
}

async function resolveKeyPair(
  reader: ClusterReader,
  { keyPair }: Credential,
  signal: AbortSignal,
): Promise<{ readonly ID: string; readonly Secret: string }> {
  if (!keyPair?.secret)
    throw runError('RUN_BAD_PROFILE', 'KVSecret cannot be nil: the Profile has no credential.keyPair.secret')
  const secret = await getSecret(reader, keyPair.secret, signal)
  const where = `${secret.metadata.namespace}:${secret.metadata.name}`
  const read = (word: string, key: string | undefined): string => {
    const value = secret.data?.[key ?? '']
    if (value === undefined) throw runError('RUN_BAD_PROFILE', `${word} '${key ?? ''}' not found in secret '${where}'`)
    return Buffer.from(value, 'base64').toString()
  }
  return { ID: read('Key', keyPair.idField), Secret: read('Value', keyPair.secretField) }
}

async function resolveSecret(reader: ClusterReader, { secret: ref }: Credential, signal: AbortSignal): Promise<SecretParams> {
  if (!ref) throw runError('RUN_BAD_PROFILE', 'Secret reference cannot be nil: the Profile has no credential.secret')
  const secret = await getSecret(reader, ref, signal)
  if (!Object.hasOwn(secretTypes, secret.type ?? '')) {
    const where = `${secret.metadata.namespace}:${secret.metadata.name}`
    throw runError(
      'RUN_BAD_PROFILE',
      `Unsupported type '${secret.type ?? ''}' for secret '${where}'; it must be one of ${Object.keys(secretTypes).join(', ')}`,
    )
  }
  for (const key of secretTypes[secret.type ?? ''] ?? []) {
    if (secret.data?.[key] === undefined) {
      throw runError('RUN_BAD_PROFILE', `secret '${secret.metadata.namespace}:${secret.metadata.name}' lacks the key ${key}`)
    }
  }
  return secretParams(secret)
}

/** Typed credential Secrets, and the keys that must be there. */
const secretTypes: Readonly<Record<string, readonly string[]>> = {
  // Without keys the engine's own identity is used (web identity, instance), with or without a role.
  'secrets.kanister.io/aws': [],
  'secrets.kanister.io/azure': ['azure_storage_account_id'],
  // Likewise without service-account.json.
  'secrets.kanister.io/gcp': ['gcp_project_id'],
  'secrets.kanister.io/filestore': [],
}
