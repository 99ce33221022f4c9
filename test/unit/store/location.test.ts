import { describe, expect, test } from 'vitest'
import { locationKey, openStore } from '../../../src/store/location.ts'
import { type ResolvedProfile, decodeProfile, parseProfileJson } from '../../../src/store/profile-json.ts'
import { StorePool } from '../../../src/store/store-pool.ts'

const wire = {
  Location: { type: 's3Compliant', bucket: 'b', endpoint: 'http://s3:9000/', prefix: 'p', region: 'r' },
  Credential: { Type: 'keyPair', KeyPair: { ID: 'id', Secret: 'se<c>' }, Secret: null, KopiaServerSecret: null },
  SkipSSLVerify: true,
}
const credentialOf = (data: Record<string, string>, type = 'secrets.kanister.io/aws') => ({
  Type: 'secret',
  Secret: {
    metadata: { name: 'sn', namespace: 'sns', uid: 'u' },
    type,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  },
})

describe('a Profile in the JSON of `toJson .Profile`', () => {
  test('is read', () => {
    const text =
      '{"Location":{"type":"s3Compliant","bucket":"b","endpoint":"","prefix":"p","region":""},"Credential":{"Type":"keyPair","KeyPair":{"ID":"id","Secret":"se\\u003cc\\u003e"},"Secret":null,"KopiaServerSecret":null},"SkipSSLVerify":false}'

    expect(parseProfileJson(text)).toEqual({
      location: { type: 's3Compliant', bucket: 'b', endpoint: '', prefix: 'p', region: '', caBundle: '', checksums: '' },
      credential: { type: 'keyPair', keyPair: { id: 'id', secret: 'se<c>' } },
      skipSslVerify: false,
    })
  })

  test('is read as Go reads it: any case, unknown names ignored, the last of a name wins', () => {
    const profile = parseProfileJson(
      '{"LOCATION":{"Type":"s3Compliant","BUCKET":"a","bucket":"b","more":[1]},"credential":{"type":"keyPair","keypair":{"id":"i","SECRET":"s"}},"x":1}',
    )

    expect(profile.location).toMatchObject({ type: 's3Compliant', bucket: 'b', prefix: '' })
    expect(profile.credential.keyPair).toEqual({ id: 'i', secret: 's' })
    expect(profile.skipSslVerify).toBe(false)
  })

  test('has its typed secret decoded, with the case of its keys', () => {
    const profile = decodeProfile({ ...wire, Credential: credentialOf({ aws_access_key_id: 'id', Other: 'x' }) })

    expect(profile.credential.secret).toEqual({
      namespace: 'sns',
      name: 'sn',
      type: 'secrets.kanister.io/aws',
      data: { aws_access_key_id: 'id', Other: 'x' },
    })
  })

  test.each([
    ['null', 'no Profile is given'],
    ['{"Location":{"bucket":7}}', 'Profile.location.bucket is not text'],
    ['{"Location":[]}', 'Profile.location is not an object'],
    ['{"SkipSSLVerify":"yes"}', 'Profile.skipSSLVerify is not true or false'],
    ['{"Credential":{"KeyPair":{"Secret":"hush hush"', 'not JSON'],
  ])('that is wrong is refused without being quoted: %s', (text, message) => {
    expect(() => parseProfileJson(text)).toThrow(message)
    expect(() => parseProfileJson(text)).not.toThrow('hush')
  })
})

describe('opening a location', () => {
  test('makes a store that says where it is, without credentials', async () => {
    await using store = openStore(decodeProfile(wire))

    expect(store.description).toBe('s3://b at http://s3:9000')
  })

  test('takes a session token, which the peer refuses', async () => {
    const data = { aws_access_key_id: 'i', aws_secret_access_key: 's', aws_session_token: 't' }

    await using store = openStore(decodeProfile({ ...wire, Credential: credentialOf(data) }))

    expect(store.description).toContain('s3://b')
  })

  const but = (change: object): ResolvedProfile => decodeProfile({ ...wire, ...change })
  const at = (change: object): ResolvedProfile => but({ Location: { ...wire.Location, ...change } })
  const gcs = (secret: string): ResolvedProfile =>
    decodeProfile({
      ...wire,
      Location: { type: 'gcs', bucket: 'b' },
      Credential: { Type: 'keyPair', KeyPair: { ID: 'project', Secret: secret } },
    })
  const azure = (pair: object): ResolvedProfile =>
    decodeProfile({ Location: { type: 'azure', bucket: 'b' }, Credential: { Type: 'keyPair', KeyPair: pair } })
  const azureSecret = (data: Record<string, string>): ResolvedProfile =>
    decodeProfile({
      Location: { type: 'azure', bucket: 'b' },
      Credential: credentialOf({ azure_storage_account_id: 'account', ...data }, 'secrets.kanister.io/azure'),
    })
  test('finds the blob service of the cloud that the Secret names', async () => {
    const data = { azure_storage_key: 'aHVzaA==', azure_storage_environment: 'AzureChinaCloud' }

    await using store = openStore(azureSecret(data))

    expect(store.description).toBe('azure://b at https://account.blob.core.chinacloudapi.cn')
  })

  test.each([
    ['an unknown type', at({ type: 'ftp' }), 'Unsupported Location type: ftp'],
    ['a Kopia server', at({ type: 'kopia' }), 'use the object store behind it'],
    ['a Kopia server, which has no bucket', at({ type: 'kopia', bucket: '' }), 'use the object store behind it'],
    ['a filestore that climbs', at({ type: 'filestore', bucket: '../etc' }), 'is not the name of a volume'],
    ['a filestore by its path', at({ type: 'filestore', bucket: '/etc' }), 'is not the name of a volume'],
    ['no bucket', at({ bucket: '' }), 'location.bucket is empty'],
    ['an endpoint that is none', at({ endpoint: 'ftp://x' }), 'is not a URL'],
    ['an endpoint with credentials', at({ endpoint: 'https://user:hush@x' }), 'put them into the Secret'],
    ['a checksum mode that is none', at({ checksums: 'maybe' }), 'one of auto, required, off'],
    ['half a key pair', but({ Credential: { Type: 'keyPair', KeyPair: { ID: 'x', Secret: '' } } }), 'incomplete'],
    ['a credential of Kopia', but({ Credential: { Type: 'kopia' } }), "CredentialType 'kopia' not supported"],
    ['a secret of another cloud', but({ Credential: credentialOf({}, 'secrets.kanister.io/gcp') }), 'secrets.kanister.io/aws'],
    ['a role that is none', but({ Credential: credentialOf({ role: 'arn:x' }) }), 'which is not an ARN'],
    ['a gcs key that is none', gcs('hush'), 'is not the JSON key file'],
    ['a gcs key of another kind', gcs('{"type":"external_account","x":"hush"}'), 'is not that of a service account'],
    [
      'a gcs Secret with neither key nor project',
      but({ Location: { type: 'gcs', bucket: 'b' }, Credential: credentialOf({}, 'secrets.kanister.io/gcp') }),
      'neither service-account.json nor gcp_project_id',
    ],
    ['an azure account that is none', azure({ ID: 'a/b', Secret: 'aHVzaA==' }), 'not a name of 3 to 24'],
    ['an azure key that is none', azure({ ID: 'account', Secret: 'hush!' }), 'in base64'],
    [
      'an azure cloud that is none',
      azureSecret({ azure_storage_key: 'aHVzaA==', azure_storage_environment: 'Mars' }),
      'not the name of a cloud',
    ],
    ['a federated identity without its token', azureSecret({ azure_federated_identity: 'true' }), 'AZURE_SAS_TOKEN_FILE'],
    ['half a key', but({ Credential: credentialOf({ aws_access_key_id: 'x' }) }), 'only one of aws_access_key_id'],
  ])('refuses %s', (_name, profile, message) => {
    expect(() => openStore(profile)).toThrow(expect.objectContaining({ code: 'STORE_BAD_LOCATION' }))
    expect(() => openStore(profile)).toThrow(message)
    expect(() => openStore(profile)).not.toThrow('hush')
  })

  test.each([
    ['', '/mysql/x/dump.gz', 'mysql/x/dump.gz'],
    ['p', '/a/b', 'p/a/b'],
    ['p/', 'a//b/../c', 'p/a/c'],
    ['/p/', '', 'p'],
    ['', '', ''],
    ['p', '../../x/', 'x'],
  ])('the key of prefix %j and path %j is %j', (prefix, path, key) => {
    expect(locationKey(at({ prefix }), path)).toBe(key)
  })
})

describe('a pool of stores', () => {
  test('shares a store among equal Profiles, and not across credentials', async () => {
    await using pool = new StorePool()
    const rotated = { ...wire, Credential: { Type: 'keyPair', KeyPair: { ID: 'id', Secret: 'other' } } }

    const store = pool.open(decodeProfile(wire))

    expect(pool.open(decodeProfile({ ...wire }))).toBe(store)
    expect(pool.open(decodeProfile(rotated))).not.toBe(store)
  })

  test('keeps the most recently used when there are too many', async () => {
    await using pool = new StorePool()
    const profileOf = (bucket: string): ResolvedProfile => decodeProfile({ ...wire, Location: { ...wire.Location, bucket } })
    const used = pool.open(profileOf('used'))
    const unused = pool.open(profileOf('unused'))

    for (let index = 0; index < 31; index++) {
      pool.open(profileOf(`b${index}`))
      pool.open(profileOf('used'))
    }

    expect(pool.open(profileOf('used'))).toBe(used)
    expect(pool.open(profileOf('unused'))).not.toBe(unused)
  })
})
