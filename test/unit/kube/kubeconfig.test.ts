import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadEndpoint, parseEndpoint } from '../../../src/kube/kubeconfig.ts'

const text = `
current-context: one
clusters:
- {name: c1, cluster: {server: "https://one:6443/", certificate-authority-data: Y2E=}}
- {name: c2, cluster: {server: "https://two", insecure-skip-tls-verify: true, tls-server-name: name}}
users:
- {name: u1, user: {client-certificate-data: Y2VydA==, client-key-data: a2V5}}
- {name: u2, user: {tokenFile: token}}
- {name: u3, user: {username: a, password: b}}
contexts:
- {name: one, context: {cluster: c1, user: u1, namespace: apps}}
- {name: two, context: {cluster: c2, user: u2}}
- {name: three, context: {cluster: c2, user: u3}}
- {name: broken, context: {cluster: none, user: u1}}
`

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

it('a kubeconfig gives server, namespace and certificates of its current context', async () => {
  const endpoint = await parseEndpoint(text)

  expect(endpoint).toMatchObject({ server: 'https://one:6443', namespace: 'apps' })
  expect(endpoint.tls).toEqual({ ca: Buffer.from('ca'), cert: Buffer.from('cert'), key: Buffer.from('key') })
})

it('another context can be named; files are found beside the kubeconfig', async () => {
  await writeFile(join(folder, 'token'), 'secret\n')
  const endpoint = await parseEndpoint(text, { context: 'two', dir: folder })

  expect(endpoint).toMatchObject({ namespace: 'default', tls: { rejectUnauthorized: false, servername: 'name' } })
  expect(await endpoint.credentials.current()).toEqual({ authorization: 'Bearer secret' })
})

it('a user with a password is sent as basic credentials', async () => {
  const { credentials } = await parseEndpoint(text, { context: 'three' })

  expect(await credentials.current()).toEqual({ authorization: 'Basic YTpi' })
})

it('what is missing is named', async () => {
  await expect(parseEndpoint(text, { context: 'nope' })).rejects.toThrow('no context "nope" (it has: one, two, three, broken)')
  await expect(parseEndpoint(text, { context: 'broken' })).rejects.toThrow('cluster "none" has no server')
  await expect(parseEndpoint('{')).rejects.toMatchObject({ code: 'KUBE_CONFIG' })
  await expect(loadEndpoint({ env: { HOME: folder } })).rejects.toThrow('set KUBECONFIG')
})

it('the first of several files to say something wins', async () => {
  await writeFile(join(folder, 'a'), 'current-context: two')
  await writeFile(join(folder, 'b'), text)
  const env = { KUBECONFIG: `${join(folder, 'a')}:${join(folder, 'absent')}:${join(folder, 'b')}` }

  expect(await loadEndpoint({ env })).toMatchObject({ server: 'https://two' })
})

it('a pod uses its service account, and reads a token that was replaced', async () => {
  for (const [name, value] of Object.entries({ token: 't1\n', 'ca.crt': 'ca', namespace: 'mine\n' })) {
    await writeFile(join(folder, name), value)
  }
  const env = { HOME: folder, KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }

  const { server, namespace, credentials } = await loadEndpoint({ env, serviceAccountDir: folder })
  const before = await credentials.current()
  await writeFile(join(folder, 'token'), 't2')
  credentials.refused()

  expect({ server, namespace }).toEqual({ server: 'https://[fd00::1]:443', namespace: 'mine' })
  expect([before, await credentials.current()]).toEqual([{ authorization: 'Bearer t1' }, { authorization: 'Bearer t2' }])
})
