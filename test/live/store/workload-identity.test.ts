import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type IncomingMessage, type Server, createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { ownIdentity } from '../../../src/main/own-identity.ts'
import { type OpenedStore, openStore } from '../../../src/store/location.ts'
import { decodeProfile } from '../../../src/store/profile-json.ts'

// The token services and the stores here are pretended: what is looked at is which token is asked for, with what, and sent on.

let folder: string
let tokenFile: string
let servers: Server[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-identity-'))
  tokenFile = join(folder, 'token')
  writeFileSync(tokenFile, 'token of the pod\n')
  servers = []
})
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
  rmSync(folder, { recursive: true })
})

interface Call {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly form: Readonly<Record<string, string>>
}

interface Answer {
  readonly status?: number
  readonly json?: object
  readonly headers?: Readonly<Record<string, string>>
}

interface Pretended {
  readonly endpoint: string
  readonly calls: Call[]
}

/** Answers each request as `answer` says, the first of a list first; the last one stays. */
async function pretend(answers: Answer | Answer[], tls?: { readonly cert: string; readonly key: string }): Promise<Pretended> {
  const calls: Call[] = []
  const left = [answers].flat()
  const listener: Parameters<typeof createServer>[1] = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
      calls.push({ path: request.url ?? '', headers: request.headers, form })
      const { status = 200, json, headers } = (left.length > 1 ? left.shift() : left[0]) ?? {}
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(json ? JSON.stringify(json) : '')
    })
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  servers.push(server)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return { endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}

const secretOf = (type: string, data: Readonly<Record<string, string>>): object => ({
  Type: 'secret',
  Secret: {
    metadata: { name: 's', namespace: 'n' },
    type,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
  },
})

describe('Google', () => {
  const open = (endpoint: string): OpenedStore =>
    openStore(
      decodeProfile({
        Location: { type: 'gcs', bucket: 'b', endpoint },
        Credential: secretOf('secrets.kanister.io/gcp', { gcp_project_id: 'p' }),
      }),
      { timing: { retry: { attempts: 3, firstMs: 1, maxMs: 5 } } },
    )

  test('without a key in the Secret, the token of the pod is exchanged as GOOGLE_APPLICATION_CREDENTIALS says, once', async () => {
    const sts = await pretend({
      json: { access_token: 'of-google', issued_token_type: 'x', token_type: 'Bearer', expires_in: 3600 },
    })
    const google = await pretend({ status: 404, json: { error: { code: 404 } } })
    const credentials = {
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${sts.endpoint}/v1/token`,
      credential_source: { file: tokenFile },
    }
    writeFileSync(join(folder, 'adc.json'), JSON.stringify(credentials))
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, 'adc.json'))
    await using store = open(google.endpoint)

    expect(await store.head('k')).toBeUndefined()
    await store.head('l')

    expect(google.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-google', 'Bearer of-google'])
    expect(sts.calls).toHaveLength(1)
    expect(sts.calls[0]?.form).toMatchObject({
      subject_token: expect.stringContaining('token of the pod'),
      audience: credentials.audience,
      scope: 'https://www.googleapis.com/auth/devstorage.read_write',
    })
  })

  test('without such a file, the metadata server of the node is asked', async () => {
    const metadata = await pretend({
      json: { access_token: 'of-the-node', expires_in: 3600, token_type: 'Bearer' },
      headers: { 'metadata-flavor': 'Google' },
    })
    const google = await pretend({ status: 404, json: {} })
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '')
    vi.stubEnv('HOME', folder)
    vi.stubEnv('GCE_METADATA_HOST', metadata.endpoint.replace('http://', ''))
    vi.stubEnv('METADATA_SERVER_DETECTION', 'assume-present')
    await using store = open(google.endpoint)

    await store.head('k')

    expect(google.calls[0]?.headers.authorization).toBe('Bearer of-the-node')
    expect(metadata.calls.at(-1)?.path).toMatch(/\/service-accounts\/default\/token/)
    expect(metadata.calls.at(-1)?.headers['metadata-flavor']).toBe('Google')
  })

  test('a refused token is a refusal, never an object that is absent, and tells no token', async () => {
    const sts = await pretend({ status: 404, json: { error: 'invalid_target', error_description: 'no such pool' } })
    const google = await pretend({ status: 404, json: {} })
    writeFileSync(
      join(folder, 'adc.json'),
      JSON.stringify({
        type: 'external_account',
        audience: 'a',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${sts.endpoint}/v1/token`,
        credential_source: { file: tokenFile },
      }),
    )
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', join(folder, 'adc.json'))
    await using store = open(google.endpoint)

    const refused = await store.head('k').catch((error: unknown) => error)

    expect(refused).toMatchObject({ code: 'STORE_DENIED', message: expect.stringContaining('workload identity') })
    expect(String(refused)).toContain('no such pool')
    expect(JSON.stringify(refused)).not.toContain('token of the pod')
    expect(google.calls).toHaveLength(0)
  })
})

describe('Azure', () => {
  const workloadEnv = (authority: string): NodeJS.ProcessEnv => ({
    AZURE_FEDERATED_TOKEN_FILE: tokenFile,
    AZURE_CLIENT_ID: 'client',
    AZURE_TENANT_ID: 'tenant',
    AZURE_AUTHORITY_HOST: `${authority}/`,
  })
  const open = (endpoint: string, env: NodeJS.ProcessEnv): OpenedStore =>
    openStore(
      decodeProfile({
        Location: { type: 'azure', bucket: 'c', endpoint },
        Credential: secretOf('secrets.kanister.io/azure', {
          azure_storage_account_id: 'account',
          azure_federated_identity: 'true',
        }),
        SkipSSLVerify: true,
      }),
      { ...ownIdentity(env), timing: { retry: { attempts: 3, firstMs: 1, maxMs: 5 } } },
    )
  const absent: Answer = { status: 404, headers: { 'x-ms-error-code': 'BlobNotFound' } }

  test('the token of the pod is exchanged for one of Azure, once, after a fault of the service too', async () => {
    const entra = await pretend([
      { status: 503 },
      { json: { token_type: 'Bearer', expires_in: 3599, access_token: 'of-azure' } },
    ])
    const azure = await pretend(absent, certificate(folder))
    await using store = open(azure.endpoint, workloadEnv(entra.endpoint))

    expect(await store.head('k')).toBeUndefined()
    await store.head('l')

    expect(azure.calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-azure', 'Bearer of-azure'])
    expect(entra.calls).toHaveLength(2)
    expect(entra.calls[1]).toMatchObject({
      path: '/tenant/oauth2/v2.0/token',
      form: {
        grant_type: 'client_credentials',
        client_id: 'client',
        scope: 'https://storage.azure.com/.default',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: 'token of the pod',
      },
    })
  })

  test('a token that ends soon is replaced by one for the token that the pod has then', async () => {
    const entra = await pretend([
      { json: { expires_in: 1, access_token: 'first' } },
      { json: { expires_in: 3599, access_token: 'second' } },
    ])
    const azure = await pretend(absent, certificate(folder))
    await using store = open(azure.endpoint, workloadEnv(entra.endpoint))
    await store.head('k')
    writeFileSync(tokenFile, 'the next token of the pod')

    await vi.waitFor(async () => {
      await store.head('l')
      expect(azure.calls.at(-1)?.headers.authorization).toBe('Bearer second')
    }, 20_000)

    expect(entra.calls.at(-1)?.form['client_assertion']).toBe('the next token of the pod')
  })

  test('a refusal names what Azure says and what to check, and no token', async () => {
    const said = {
      error: 'invalid_client',
      error_description: 'AADSTS70021: No matching federated identity record found.\r\nTrace: x',
    }
    const entra = await pretend({ status: 401, json: said })
    const azure = await pretend(absent, certificate(folder))
    await using store = open(azure.endpoint, workloadEnv(entra.endpoint))

    const refused = await store.head('k').catch((error: unknown) => error)

    expect(refused).toMatchObject({ code: 'STORE_DENIED', message: expect.stringContaining('AADSTS70021: No matching') })
    expect(String(refused)).toContain('AZURE_CLIENT_ID')
    expect(String(refused)).not.toContain('token of the pod')
    expect(azure.calls).toHaveLength(0)
  })

  test('a SAS token that is given goes first; with neither, the Profile is refused with both ways out', async () => {
    writeFileSync(join(folder, 'sas'), 'sv=1&sig=s')
    const azure = await pretend(absent, certificate(folder))
    await using store = open(azure.endpoint, {
      ...workloadEnv('http://127.0.0.1:1'),
      AZURE_SAS_TOKEN_FILE: join(folder, 'sas'),
    })

    await store.head('k')

    expect(azure.calls[0]?.path).toContain('sig=s')
    expect(azure.calls[0]?.headers.authorization).toBeUndefined()
    expect(() => open(azure.endpoint, {})).toThrow(/AZURE_FEDERATED_TOKEN_FILE[\s\S]*AZURE_SAS_TOKEN_FILE/)
  })
})

/** For 127.0.0.1, signed by nobody: Azure's library sends tokens over TLS only. */
function certificate(at: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [join(at, 'cert.pem'), join(at, 'key.pem')]
  const names = ['-subj', '/CN=azure', '-addext', 'subjectAltName=IP:127.0.0.1']
  const algorithm = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  execFileSync('openssl', ['req', '-x509', ...algorithm, '-nodes', '-days', '2', ...names, '-out', cert, '-keyout', key], {
    stdio: 'ignore',
  })
  return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
}
