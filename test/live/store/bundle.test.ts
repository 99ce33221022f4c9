import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bundleProgram } from '../../harness/bundle.ts'
import { serviceAccountKey } from '../../harness/stores/fake-gcs.ts'

// Nobody listens there.
const endpoint = 'http://127.0.0.1:9'
const base64 = (text: string): string => Buffer.from(text).toString('base64')
const keyPair = (id: string, secret: string): object => ({ Type: 'keyPair', KeyPair: { ID: id, Secret: secret } })
const data = {
  role: base64('arn:aws:iam::123456789012:role/backup'),
  aws_access_key_id: base64('id'),
  aws_secret_access_key: base64('secret'),
}
const role = { Type: 'secret', Secret: { metadata: { name: 'n', namespace: 'n' }, type: 'secrets.kanister.io/aws', data } }

let folder: string
let program: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'))
  program = await bundleProgram(folder)
})
afterAll(() => rmSync(folder, { recursive: true }))

test.each([
  ['s3Compliant', endpoint, keyPair('id', 'secret')],
  ['s3Compliant', endpoint, role],
  ['gcs', endpoint, keyPair('project', serviceAccountKey())],
  ['azure', `${endpoint}/account`, keyPair('account', base64('key'))],
])('the bundle of the image has what %s needs, loaded by the first call (%#)', (type, at, Credential) => {
  const Location = { type, bucket: 'bucket', endpoint: at, region: 'us-east-1' }
  const words = ['kando', 'location', 'pull', '-', '-p', JSON.stringify({ Location, Credential }), '-s', 'x']

  const { stderr } = spawnSync(process.execPath, [program, ...words], {
    env: { ...process.env, AWS_ENDPOINT_URL_STS: endpoint },
    encoding: 'utf8',
  })

  expect(stderr).toContain('ECONNREFUSED')
})
