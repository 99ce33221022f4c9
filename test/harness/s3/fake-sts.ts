import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface FakeSts {
  readonly endpoint: string
  /** Parameters of every call so far. */
  readonly calls: URLSearchParams[]
  stop(): Promise<void>
}

export interface StsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** From each call on. */
  readonly lifeMs: number
  /** The S3 server of the harness knows no session tokens and refuses requests that carry one. @default none */
  readonly sessionToken?: string
}

/** AWS's token service for AssumeRole and AssumeRoleWithWebIdentity: gives the same keys each time, with a new end. */
export async function startFakeSts(given: StsCredentials): Promise<FakeSts> {
  const calls: URLSearchParams[] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const params = new URLSearchParams(Buffer.concat(chunks).toString())
      calls.push(params)
      response.writeHead(200, { 'content-type': 'text/xml' }).end(answer(params.get('Action') ?? '', given))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    calls,
    stop: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function answer(action: string, { accessKeyId, secretAccessKey, lifeMs, sessionToken }: StsCredentials): string {
  const token = sessionToken === undefined ? '' : `<SessionToken>${sessionToken}</SessionToken>`
  const end = new Date(Date.now() + lifeMs).toISOString()
  const keys = `<AccessKeyId>${accessKeyId}</AccessKeyId><SecretAccessKey>${secretAccessKey}</SecretAccessKey>${token}<Expiration>${end}</Expiration>`
  const user =
    '<AssumedRoleUser><AssumedRoleId>A:holdfast</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/backup/holdfast</Arn></AssumedRoleUser>'
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>${keys}</Credentials>${user}</${action}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></${action}Response>`
}
