import type { Clock } from '../base/clock.ts'
import { storeError } from './errors.ts'
import { joinKey } from './key.ts'
import type { ObjectStore } from './object-store.ts'
import type { ResolvedProfile } from './profile-json.ts'
import { S3Store } from './s3.ts'
import type { ChecksumMode, S3Credentials, S3Timing } from './s3/settings.ts'

/** A store that holds sockets: close it, or open it by `await using`. */
export type OpenedStore = ObjectStore & AsyncDisposable

export interface OpenStoreOptions {
  /** Sockets to the endpoint at once. @default 64 */
  readonly maxConnections?: number
  readonly timing?: Partial<S3Timing>
  readonly clock?: Clock
}

/**
 * The bucket of a Profile, from its root: `location.prefix` is not applied, as restic repositories of Kanister are not below it
 * (see `locationKey`). Checks what can be checked without a request; the SDK is loaded by the first call.
 */
export function openStore(profile: ResolvedProfile, options: OpenStoreOptions = {}): OpenedStore {
  const { type, bucket } = profile.location
  const open = openers[type]
  if (open === undefined) {
    throw badLocation(`Unsupported Location type: ${type === '' ? '(empty)' : type}; use ${Object.keys(openers).join(', ')}`)
  }
  if (bucket === '') throw badLocation('location.bucket is empty: name the bucket')
  return open(profile, options)
}

/** The key of a path in the Profile's location, as `kando location` and LocationDelete make it. Empty if both are empty. */
export function locationKey(profile: ResolvedProfile, path: string): string {
  return joinKey(profile.location.prefix, path)
}

/**
 * As `locationKey`, for deletes: the path must name something below the prefix. Neither the whole location nor what is beside it can be
 * meant by a path that came out empty or climbs.
 */
export function locationKeyBelow(profile: ResolvedProfile, path: string): string {
  const prefix = joinKey(profile.location.prefix)
  const key = locationKey(profile, path)
  const below = prefix === '' ? key !== '' : key.startsWith(`${prefix}/`)
  if (joinKey(path) !== '' && below) return key
  throw storeError(
    'STORE_BAD_KEY',
    `refusing to delete the path "${path}" of ${whole(profile)}: it names no object below it; give the path of the backup`,
  )
}

function whole({ location }: ResolvedProfile): string {
  return `bucket "${location.bucket}"${location.prefix === '' ? '' : ` below "${location.prefix}"`}`
}

type Opener = (profile: ResolvedProfile, options: OpenStoreOptions) => OpenedStore

/** One line for each type of location. */
const openers: Readonly<Record<string, Opener>> = {
  s3Compliant: openS3,
  gcs: notYet(
    'Google Cloud Storage',
    'its S3-compatible endpoint https://storage.googleapis.com with HMAC keys works as s3Compliant',
  ),
  azure: notYet('Azure Blob Storage', 'put an S3-compatible store in front of it'),
  kopia: notYet('a Kopia server', 'use the object store behind it as s3Compliant'),
}

function openS3(profile: ResolvedProfile, options: OpenStoreOptions): OpenedStore {
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
  })
}

/** Trailing slashes are cut, a path is kept; a bare `host:port` means https, as for restic and the AWS tools. */
function endpointOf(text: string): string {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !['http:', 'https:'].includes(parsed.protocol)) {
    throw badLocation(`location.endpoint "${text}" is not a URL like https://s3.example.com:9000`)
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw badLocation('location.endpoint holds credentials: put them into the Secret and leave the URL plain')
  }
  return url.replace(/\/+$/, '')
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

function secretCredentials(secret: ResolvedProfile['credential']['secret']): S3Credentials {
  const name = `Secret ${secret?.namespace ?? ''}/${secret?.name ?? ''}`
  if (secret?.type !== 'secrets.kanister.io/aws') {
    throw badLocation(`${name} has type "${secret?.type ?? ''}": for s3Compliant it must be secrets.kanister.io/aws`)
  }
  const { aws_access_key_id: accessKeyId = '', aws_secret_access_key: secretAccessKey = '' } = secret.data
  const { aws_session_token: sessionToken = '', role = '' } = secret.data
  if (role !== '')
    throw badLocation(`${name} names a role; assuming roles is not built yet: give keys of a user, or a session token`)
  if (accessKeyId === '' || secretAccessKey === '') {
    throw badLocation(`${name} lacks aws_access_key_id or aws_secret_access_key`)
  }
  return plain({ accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) })
}

/** Secrets made by `echo key | base64` end in a newline, which no credential has and no header takes. */
function plain({ accessKeyId, secretAccessKey, sessionToken }: S3Credentials): S3Credentials {
  return {
    accessKeyId: accessKeyId.trim(),
    secretAccessKey: secretAccessKey.trim(),
    ...(sessionToken === undefined ? {} : { sessionToken: sessionToken.trim() }),
  }
}

function checksumMode(text: string): ChecksumMode {
  if (text === '' || text === 'auto') return 'auto'
  if (text === 'required' || text === 'off') return text
  throw badLocation(`location.checksums "${text}" is not one of auto, required, off`)
}

function notYet(what: string, instead: string): Opener {
  return () => {
    throw badLocation(`${what} is not supported yet; ${instead}`)
  }
}

function badLocation(text: string): unknown {
  return storeError('STORE_BAD_LOCATION', `the Profile cannot be used: ${text}`)
}
