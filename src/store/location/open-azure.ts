import { AzureStore } from '../azure-store.ts'
import type { AzureAccess } from '../azure/settings.ts'
import type { ResolvedProfile } from '../profile-json.ts'
import { badLocation } from './bad-location.ts'
import { endpointOf } from './endpoint.ts'
import type { OpenStoreOptions, OpenedStore } from './opened-store.ts'

/** Azure Blob Storage; the bucket is a container. The endpoint counts only when it is given, for private endpoints. */
export function openAzure(profile: ResolvedProfile, options: OpenStoreOptions): OpenedStore {
  const { location, skipSslVerify } = profile
  if (location.objectLock !== undefined) {
    throw badLocation('location.objectLock is for s3Compliant; on azure set an immutability policy on the container')
  }
  const { account, environment, access } = credentialOf(profile, options)
  return new AzureStore({
    ...options,
    container: location.bucket,
    endpoint: location.endpoint === '' ? serviceUrl(account, environment) : endpointOf(location.endpoint),
    access,
    skipSslVerify,
    ...(location.caBundle === '' ? {} : { caPem: location.caBundle }),
  })
}

interface AzureCredential {
  readonly account: string
  /** Name of the cloud; empty is the public one. */
  readonly environment: string
  readonly access: AzureAccess
}

function credentialOf({ credential }: ResolvedProfile, options: OpenStoreOptions): AzureCredential {
  if (credential.type === 'keyPair') {
    const { id = '', secret = '' } = credential.keyPair ?? {}
    return { account: accountName(id), environment: '', access: withKey(id, secret) }
  }
  if (credential.type !== 'secret') {
    throw badLocation(`CredentialType '${credential.type}' not supported for azure: use keyPair or secret`)
  }
  const { secret } = credential
  const name = `Secret ${secret?.namespace ?? ''}/${secret?.name ?? ''}`
  if (secret?.type !== 'secrets.kanister.io/azure') {
    throw badLocation(`${name} has type "${secret?.type ?? ''}": for azure it must be secrets.kanister.io/azure`)
  }
  const { azure_storage_account_id: account = '', azure_storage_key: key = '' } = secret.data
  const { azure_storage_environment: environment = '', azure_federated_identity: federated = '' } = secret.data
  const place = { account: accountName(account), environment: environment.trim() }
  if (key.trim() !== '' || federated.trim().toLowerCase() !== 'true') return { ...place, access: withKey(account, key) }
  return { ...place, access: federatedAccess(name, options) }
}

function federatedAccess(name: string, { azureSasTokenFile = '', azureWorkload }: OpenStoreOptions): AzureAccess {
  if (azureSasTokenFile !== '') return { sasTokenFile: azureSasTokenFile }
  if (azureWorkload) return { workload: azureWorkload }
  throw badLocation(
    `${name} says azure_federated_identity: give the pods Azure's workload identity (AZURE_FEDERATED_TOKEN_FILE, AZURE_CLIENT_ID, AZURE_TENANT_ID), or set AZURE_SAS_TOKEN_FILE to a file with a SAS token of the container`,
  )
}

function accountName(text: string): string {
  const name = text.trim()
  if (!/^[a-z0-9]{3,24}$/.test(name)) throw badLocation('its storage account is not a name of 3 to 24 small letters and digits')
  return name
}

function withKey(account: string, text: string): AzureAccess {
  const key = text.trim()
  if (key === '' || Buffer.from(key, 'base64').toString('base64') !== key) {
    throw badLocation('its storage key is not one of Azure: give it as the portal shows it, in base64')
  }
  return { account: account.trim(), key }
}

/** Clouds by the names of Azure's SDK for Go, which Kanister's Secrets use, without regard to case. */
const suffixes: Readonly<Record<string, string>> = {
  '': 'core.windows.net',
  azurecloud: 'core.windows.net',
  azurepubliccloud: 'core.windows.net',
  azurechinacloud: 'core.chinacloudapi.cn',
  azureusgovernment: 'core.usgovcloudapi.net',
  azureusgovernmentcloud: 'core.usgovcloudapi.net',
  azuregermancloud: 'core.cloudapi.de',
}

function serviceUrl(account: string, environment: string): string {
  const suffix = suffixes[environment.toLowerCase()]
  if (suffix === undefined) throw badLocation(`azure_storage_environment "${environment}" is not the name of a cloud of Azure`)
  return `https://${account}.blob.${suffix}`
}
