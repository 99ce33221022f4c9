import type { ResolvedProfile } from '../profile-json.ts'
import { S3Store } from '../s3.ts'
import type { ChecksumMode, Retention, S3Credentials, S3Keys } from '../s3/settings.ts'
import { badLocation } from './bad-location.ts'
import { endpointOf } from './endpoint.ts'
import type { OpenStoreOptions, OpenedStore } from './opened-store.ts'

/** Any store that speaks S3. */
export function openS3(profile: ResolvedProfile, options: OpenStoreOptions): OpenedStore {
  const { location, skipSslVerify } = profile
  return new S3Store({
    ...options,
    bucket: location.bucket,
    credentials: s3Credentials(profile),
    skipSslVerify,
    checksums: checksumMode(location.checksums),
    ...(location.endpoint === '' ? {} : { endpoint: endpointOf(location.endpoint) }),
    ...(location.region === '' ? {} : { region: location.region }),
    ...(location.caBundle === '' ? {} : { caPem: location.caBundle }),
    ...(location.objectLock === undefined ? {} : { retention: retentionOf(location.objectLock) }),
  })
}

function s3Credentials({ credential }: ResolvedProfile): S3Credentials {
  if (credential.type === 'keyPair') {
    const { id = '', secret = '' } = credential.keyPair ?? {}
    if (id === '' || secret === '') throw badLocation('its key pair is incomplete: both keys of the Secret must hold text')
    return plain({ accessKeyId: id, secretAccessKey: secret })
  }
  if (credential.type === 'secret') return secretCredentials(credential.secret)
  throw badLocation(`CredentialType '${credential.type}' not supported for s3Compliant: use keyPair or secret`)
}

/** Keys win, as in Kanister; without them the process's own identity counts. A role is assumed by whichever it is. */
function secretCredentials(secret: ResolvedProfile['credential']['secret']): S3Credentials {
  const name = `Secret ${secret?.namespace ?? ''}/${secret?.name ?? ''}`
  if (secret?.type !== 'secrets.kanister.io/aws') {
    throw badLocation(`${name} has type "${secret?.type ?? ''}": for s3Compliant it must be secrets.kanister.io/aws`)
  }
  const { aws_access_key_id: accessKeyId = '', aws_secret_access_key: secretAccessKey = '' } = secret.data
  const { aws_session_token: sessionToken = '' } = secret.data
  const role = (secret.data['role'] ?? '').trim()
  if ((accessKeyId === '') !== (secretAccessKey === '')) {
    throw badLocation(`${name} has only one of aws_access_key_id and aws_secret_access_key: give both, or none`)
  }
  const keys =
    accessKeyId === '' ? undefined : plain({ accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) })
  if (role === '') return keys ?? {}
  if (!/^arn:[a-z-]+:iam::\d{12}:role\/.+$/.test(role)) {
    throw badLocation(`${name} names the role "${role}", which is not an ARN like arn:aws:iam::123456789012:role/backup`)
  }
  return { role, ...(keys ? { keys } : {}) }
}

/** Secrets made by `echo key | base64` end in a newline, which no credential has and no header takes. */
function plain({ accessKeyId, secretAccessKey, sessionToken }: S3Keys): S3Keys {
  return {
    accessKeyId: accessKeyId.trim(),
    secretAccessKey: secretAccessKey.trim(),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.trim() }),
  }
}

/** `governance 30d`, `compliance 90d`. */
function retentionOf(text: string): Retention {
  const [, mode, days] = /^(governance|compliance)\s+(\d{1,5})d$/i.exec(text.trim()) ?? []
  if (mode === undefined || Number(days) < 1) {
    throw badLocation(`location.objectLock "${text}" is not a mode and days, like governance 30d or compliance 90d`)
  }
  return { mode: mode.toLowerCase() === 'governance' ? 'GOVERNANCE' : 'COMPLIANCE', days: Number(days) }
}

function checksumMode(text: string): ChecksumMode {
  if (text === '' || text === 'auto') return 'auto'
  if (text === 'required' || text === 'off') return text
  throw badLocation(`location.checksums "${text}" is not one of auto, required, off`)
}
