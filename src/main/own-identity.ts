import { type OpenStoreOptions, type OpenedStore, openStore } from '../store/location.ts'
import type { ResolvedProfile } from '../store/profile-json.ts'

type OwnIdentity = Pick<OpenStoreOptions, 'azureSasTokenFile' | 'azureWorkload'>

/**
 * What Azure's stores may use of this process where a Secret has no key: the variables that the webhook of workload identity sets, or the file of
 * a SAS token, as Kanister's kando knows it. The libraries of Amazon and Google find theirs by themselves.
 */
export function ownIdentity(env: NodeJS.ProcessEnv): OwnIdentity {
  const { AZURE_SAS_TOKEN_FILE: sas, AZURE_FEDERATED_TOKEN_FILE: tokenFile } = env
  const { AZURE_CLIENT_ID: clientId, AZURE_TENANT_ID: tenantId, AZURE_AUTHORITY_HOST: host } = env
  const authority = host ? host : 'https://login.microsoftonline.com'
  return {
    ...(sas ? { azureSasTokenFile: sas } : {}),
    ...(tokenFile && clientId && tenantId ? { azureWorkload: { tokenFile, clientId, tenantId, authority } } : {}),
  }
}

/** Opens the store of a Profile, by its own keys or by that identity. Everything of this process that reaches a store goes through here or a pool that has the same. */
export function openStoreWith(env: NodeJS.ProcessEnv): (profile: ResolvedProfile) => OpenedStore {
  return (profile) => openStore(profile, ownIdentity(env))
}
