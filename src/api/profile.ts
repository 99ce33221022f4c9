import { anything, flag, integer, map, object, optional, text, type TypeOf } from '../schema/build.ts'
import { defineKind, type StoredMeta } from './kind.ts'
import { names } from './names.ts'
import { ObjectReference } from './object-reference.ts'

export const Location = object(
  {
    type: optional(text('s3Compliant, gcs, azure, filestore (ours) or kopia.')),
    bucket: optional(text('Bucket or container; for filestore the name of the mounted volume.')),
    endpoint: optional(text('URL of an S3-compatible or kopia server; its presence means path-style addressing.')),
    prefix: optional(text('Put before every path.')),
    region: optional(text('Region.')),
    caBundle: optional(text('PEM certificates to trust for the endpoint. Ours; Kanister ignores it.')),
    checksums: optional(
      text(
        'auto, required or off: whether x-amz-checksum headers go with what is written. Ours; Kanister ignores it. @default auto',
      ),
    ),
    objectLock: optional(
      text(
        'Mode and time for which what is written cannot be deleted: governance 30d, compliance 30d. Ours; Kanister ignores it.',
      ),
    ),
  },
  'Where the bytes are kept.',
)
export type Location = TypeOf<typeof Location>

const KeyPair = object(
  {
    idField: optional(text('Key of the Secret that holds the id.')),
    secretField: optional(text('Key of the Secret that holds the secret.')),
    secret: optional(ObjectReference),
  },
  'Two keys of an Opaque Secret.',
)

const KopiaServerSecret = object(
  {
    username: optional(text('User of the kopia server.')),
    hostname: optional(text('Host name of the user.')),
    userPassphrase: optional(anything('Key and Secret of the pass phrase.')),
    tlsCert: optional(anything('Key and Secret of the server certificate.')),
    connectOptions: optional(map(integer('Value.'), 'Cache sizes.')),
  },
  'Access to a kopia server.',
)

export const Credential = object(
  {
    type: optional(text('keyPair, secret or kopia.')),
    keyPair: optional(KeyPair),
    secret: optional(ObjectReference),
    kopiaServerSecret: optional({
      ...KopiaServerSecret,
      'x-kubernetes-preserve-unknown-fields': true,
    } as typeof KopiaServerSecret),
  },
  'How to be let in.',
)
export type Credential = TypeOf<typeof Credential>

export const ProfileBody = object({
  location: optional(Location),
  credential: optional(Credential),
  skipSSLVerify: optional(flag('Accept any server certificate.')),
  recordSecrets: optional(
    flag(
      'The Secrets that the pods of an application name go into the records of its backups, sealed by the recovery key. Ours; Kanister ignores it. @default false',
    ),
  ),
})

export const profileKind = defineKind({
  group: names.kanisterGroup,
  version: names.version,
  kind: 'Profile',
  plural: 'profiles',
  singular: 'profile',
  description: 'A location and the credential for it.',
  schema: ProfileBody,
  columns: [],
})

export type Profile = TypeOf<typeof ProfileBody> & {
  readonly apiVersion: string
  readonly kind: 'Profile'
  readonly metadata: StoredMeta
}
