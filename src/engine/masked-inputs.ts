import type { ActionSpec } from '../api/actionset.ts'
import { isSecretReference } from '../api/object-reference.ts'
import type { JsonObject, ProfileParams, SecretParams } from '../template/variables.ts'
import type { LiveInputs } from './params.ts'
import type { Fetched } from './references.ts'

/** Inputs of templates with a mark in place of each secret: what is rendered from them can be shown. */
export function maskLive(live: LiveInputs, action: ActionSpec): LiveInputs {
  const { secrets, profile, object } = live
  const isSecret = isSecretReference(action.object ?? {})
  return {
    secrets: maskSecrets(secrets),
    ...(profile ? { profile: maskProfile(profile) } : {}),
    ...(object ? { object: isSecret ? (maskSecret(object as SecretParams, 'Object') as JsonObject) : object } : {}),
  }
}

export function maskFetched(fetched: Fetched): Fetched {
  return { ...fetched, secrets: maskSecrets(fetched.secrets) }
}

function maskSecrets(secrets: Readonly<Record<string, SecretParams>>): Record<string, SecretParams> {
  return Object.fromEntries(Object.entries(secrets).map(([name, secret]) => [name, maskSecret(secret, name)]))
}

function maskSecret(secret: SecretParams, name: string): SecretParams {
  const data = Object.fromEntries(
    Object.keys(secret.data ?? {}).map((key) => [key, Buffer.from(mark(`${name}.${key}`)).toString('base64')]),
  )
  return { ...secret, ...(secret.data ? { data } : {}), ...withoutCopies(secret.metadata) }
}

/** kubectl keeps the whole object in an annotation. */
function withoutCopies(metadata: object | undefined): { metadata?: object } {
  if (!metadata) return {}
  const { annotations: _copies, ...rest } = metadata as { annotations?: unknown }
  return { metadata: rest }
}

function maskProfile(profile: ProfileParams): ProfileParams {
  const { KeyPair, Secret, KopiaServerSecret } = profile.Credential
  return {
    ...profile,
    Credential: {
      ...profile.Credential,
      ...(KeyPair ? { KeyPair: { ID: mark('Profile.ID'), Secret: mark('Profile.Secret') } } : {}),
      ...(Secret ? { Secret: maskSecret(Secret, 'Profile') } : {}),
      ...(KopiaServerSecret
        ? { KopiaServerSecret: { ...KopiaServerSecret, Password: mark('Profile.Password'), Cert: mark('Profile.Cert') } }
        : {}),
    },
  }
}

function mark(what: string): string {
  return `[secret ${what}]`
}
