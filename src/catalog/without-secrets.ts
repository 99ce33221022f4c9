import type { ResolvedProfile } from '../store/profile-json.ts'

const mask = '***'
/** Shorter ones would blot out ordinary words. */
const shortest = 8

/**
 * The value with the credentials of its Profile masked wherever they stand in a text. A Blueprint may print them: 27 of 51 known
 * ones render the whole Profile into a command.
 */
export function withoutSecrets<T>(value: T, profile: ResolvedProfile): T {
  const secrets = secretsOf(profile).filter((secret) => secret.length >= shortest)
  // Same shape: only the contents of texts change.
  return secrets.length === 0 ? value : (masked(value, secrets) as T)
}

function secretsOf({ credential }: ResolvedProfile): string[] {
  const values = [
    credential.keyPair?.secret ?? '',
    ...Object.entries(credential.secret?.data ?? {})
      .filter(isSecret)
      .map(([, value]) => value),
  ]
  return values.flatMap((value) => [value, Buffer.from(value).toString('base64'), JSON.stringify(value).slice(1, -1)])
}

/** Ids and names in a typed Secret may be shown. */
function isSecret([key]: [string, string]): boolean {
  return !['aws_access_key_id', 'role', 'azure_storage_account_id', 'azure_storage_environment', 'gcp_project_id'].includes(key)
}

function masked(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, mask), value)
  if (Array.isArray(value)) return value.map((item) => masked(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, masked(item, secrets)]))
}
