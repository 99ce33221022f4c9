import { GcsStore } from '../gcs-store.ts'
import type { OwnIdentity, ServiceAccount } from '../gcs/settings.ts'
import type { ProfileCredential, ResolvedProfile } from '../profile-json.ts'
import { badLocation } from './bad-location.ts'
import { endpointOf } from './endpoint.ts'
import type { OpenStoreOptions, OpenedStore } from './opened-store.ts'

/** Google Cloud Storage. The endpoint counts only when it is given, for private endpoints; there is nothing to say about regions. */
export function openGcs(profile: ResolvedProfile, options: OpenStoreOptions): OpenedStore {
  const { location, credential, skipSslVerify } = profile
  if (location.objectLock !== undefined) {
    throw badLocation('location.objectLock is for s3Compliant; on gcs set a retention policy on the bucket')
  }
  return new GcsStore({
    ...options,
    bucket: location.bucket,
    account: accountOf(credential),
    skipSslVerify,
    ...(location.endpoint === '' ? {} : { endpoint: endpointOf(location.endpoint) }),
    ...(location.caBundle === '' ? {} : { caPem: location.caBundle }),
  })
}

/** A typed Secret without a key stands for the process's own identity, as on s3Compliant. */
function accountOf(credential: ProfileCredential): ServiceAccount | OwnIdentity {
  if (credential.type === 'keyPair') return serviceAccount(credential.keyPair?.secret ?? '')

  if (credential.type !== 'secret') {
    throw badLocation(`CredentialType '${credential.type}' not supported for gcs: use keyPair or secret`)
  }
  const { secret } = credential
  const name = `Secret ${secret?.namespace ?? ''}/${secret?.name ?? ''}`
  if (secret?.type !== 'secrets.kanister.io/gcp') {
    throw badLocation(`${name} has type "${secret?.type ?? ''}": for gcs it must be secrets.kanister.io/gcp`)
  }
  const key = secret.data['service-account.json'] ?? ''
  if (key.trim() !== '') return serviceAccount(key)
  const project = (secret.data['gcp_project_id'] ?? '').trim()
  if (project === '')
    throw badLocation(
      `${name} has neither service-account.json nor gcp_project_id: give both, or the project alone to use the identity of the engine's pods`,
    )
  return { project }
}

/** Never quotes the text: it holds the key. */
function serviceAccount(text: string): ServiceAccount {
  const fields = fieldsOf(text)
  const { type, client_email: email, private_key: privateKey, private_key_id: keyId } = fields ?? {}
  if (type !== undefined && type !== 'service_account') {
    // Others name files and URLs that the engine would read for whoever writes the Secret.
    throw badLocation('its service key is not that of a service account: give the JSON key file of one')
  }
  if (typeof email !== 'string' || typeof privateKey !== 'string' || email === '' || privateKey === '') {
    throw badLocation('its service key is not the JSON key file of a service account, with client_email and private_key')
  }
  return { email, privateKey, ...(typeof keyId === 'string' ? { keyId } : {}) }
}

/** `kanctl` and the Helm chart store the file as it is or in base64. */
function fieldsOf(text: string): Record<string, unknown> | undefined {
  for (const candidate of [text, Buffer.from(text, 'base64').toString()]) {
    try {
      const value: unknown = JSON.parse(candidate)
      // Each field is checked where it is read.
      if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
    } catch {
      // Perhaps the other form.
    }
  }
  return undefined
}
