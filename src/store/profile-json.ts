import { storeError } from './errors.ts'

/** A Profile with its credentials, as `toJson .Profile` carries it to `kando` and as the engine has it when an action launches. */
export interface ResolvedProfile {
  readonly location: ProfileLocation
  readonly credential: ProfileCredential
  readonly skipSslVerify: boolean
}

export interface ProfileLocation {
  /** `s3Compliant`, `gcs`, `azure`, `filestore`, `kopia`; kept as given. */
  readonly type: string
  readonly bucket: string
  readonly endpoint: string
  readonly prefix: string
  readonly region: string
  /** Ours: PEM certificates to trust for the endpoint. */
  readonly caBundle: string
  /** Ours: `auto`, `required` or `off`; empty is `auto`. */
  readonly checksums: string
  /** Ours: `governance 30d` or `compliance 30d`; none without it. */
  readonly objectLock?: string
}

export interface ProfileCredential {
  /** `keyPair`, `secret`, `kopia`; kept as given. */
  readonly type: string
  readonly keyPair?: { readonly id: string; readonly secret: string }
  readonly secret?: {
    readonly namespace: string
    readonly name: string
    readonly type: string
    /** Decoded. */
    readonly data: Readonly<Record<string, string>>
  }
}

/** Parses the text given to `kando --profile`. */
export function parseProfileJson(text: string): ResolvedProfile {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // Not the parser's own words: they quote the text, and it holds credentials.
    throw storeError(
      'STORE_BAD_LOCATION',
      'failed to unmarshal profile: it is not JSON; pass {{ toJson .Profile }} in single quotes',
    )
  }
  return decodeProfile(value)
}

/**
 * Reads the JSON form as Go reads it into its struct: names without regard to case, unknown ones ignored, absent or null ones
 * empty, values of another type an error.
 */
export function decodeProfile(value: unknown): ResolvedProfile {
  if (value === null || value === undefined) {
    throw storeError('STORE_BAD_LOCATION', 'no Profile is given: name one in the ActionSet')
  }
  const profile = new Fields(value, 'Profile')
  const location = profile.object('location')
  const credential = profile.object('credential')
  return {
    location: {
      type: location.text('type'),
      bucket: location.text('bucket'),
      endpoint: location.text('endpoint'),
      prefix: location.text('prefix'),
      region: location.text('region'),
      caBundle: location.text('caBundle'),
      checksums: location.text('checksums'),
      ...(location.text('objectLock') === '' ? {} : { objectLock: location.text('objectLock') }),
    },
    credential: { type: credential.text('type'), ...keyPairOf(credential), ...secretOf(credential) },
    skipSslVerify: profile.flag('skipSSLVerify'),
  }
}

function keyPairOf(credential: Fields): Pick<ProfileCredential, 'keyPair'> {
  if (!credential.has('keyPair')) return {}
  const pair = credential.object('keyPair')
  return { keyPair: { id: pair.text('id'), secret: pair.text('secret') } }
}

function secretOf(credential: Fields): Pick<ProfileCredential, 'secret'> {
  if (!credential.has('secret')) return {}
  const secret = credential.object('secret')
  const metadata = secret.object('metadata')
  const data = secret.object('data')
  return {
    secret: {
      namespace: metadata.text('namespace'),
      name: metadata.text('name'),
      type: secret.text('type'),
      // Keys of a Go map keep their case.
      data: Object.fromEntries(data.names().map((name) => [name, Buffer.from(data.exactText(name), 'base64').toString()])),
    },
  }
}

/** A JSON object read with Go's rules. Errors name the field, never a value. */
class Fields {
  readonly #path: string
  readonly #entries: ReadonlyArray<readonly [string, unknown]>

  constructor(value: unknown, path: string) {
    this.#path = path
    if (value === null || value === undefined) this.#entries = []
    else if (typeof value === 'object' && !Array.isArray(value)) this.#entries = Object.entries(value)
    else throw wrongType(path, 'an object')
  }

  has(name: string): boolean {
    return this.#find(name) !== undefined
  }

  names(): string[] {
    return this.#entries.map(([name]) => name)
  }

  object(name: string): Fields {
    return new Fields(this.#find(name), `${this.#path}.${name}`)
  }

  text(name: string): string {
    return this.#asText(this.#find(name), name)
  }

  exactText(name: string): string {
    return this.#asText(this.#entries.findLast(([given]) => given === name)?.[1], name)
  }

  flag(name: string): boolean {
    const value = this.#find(name) ?? false
    if (typeof value !== 'boolean') throw wrongType(`${this.#path}.${name}`, 'true or false')
    return value
  }

  /** The last one wins, as in Go; null counts as not given. */
  #find(name: string): unknown {
    const wanted = name.toLowerCase()
    return this.#entries.findLast(([given, value]) => given.toLowerCase() === wanted && value !== null)?.[1]
  }

  #asText(value: unknown, name: string): string {
    if (value === undefined || value === null) return ''
    if (typeof value !== 'string') throw wrongType(`${this.#path}.${name}`, 'text')
    return value
  }
}

function wrongType(path: string, wanted: string): unknown {
  return storeError('STORE_BAD_LOCATION', `failed to unmarshal profile: ${path} is not ${wanted}`)
}
