import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../machine/command.ts'
import type { Network } from './network.ts'

/** Files of one certificate in the cluster's `pki` folder. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface Certificates {
  readonly ca: Certificate
  readonly apiserver: Certificate
  readonly kubelet: Certificate
  /** Member of system:masters, for people, tests and the control plane itself. */
  readonly admin: Certificate
  /** Signs service account tokens. */
  readonly serviceAccount: { readonly publicKey: string; readonly key: string }
}

export const nodeName = 'node1'

export function certificatesIn(state: string): Certificates {
  const pki = join(state, 'pki')
  const pair = (name: string): Certificate => ({ cert: join(pki, `${name}.crt`), key: join(pki, `${name}.key`) })
  return {
    ca: pair('ca'),
    apiserver: pair('apiserver'),
    kubelet: pair('kubelet'),
    admin: pair('admin'),
    serviceAccount: { publicKey: join(pki, 'sa.pub'), key: join(pki, 'sa.key') },
  }
}

/** Makes a certificate authority for this start of the cluster and what it signs. Nothing of it lives longer. */
export async function makeCertificates(state: string, network: Network): Promise<Certificates> {
  await mkdir(join(state, 'pki'), { recursive: true, mode: 0o700 })
  const all = certificatesIn(state)
  const { nodeIp, hostIp, apiServiceIp } = network
  await openssl('req', '-x509', ...newKey(all.ca), '-days', '3650', '-subj', '/CN=holdfast-test-ca', '-out', all.ca.cert)
  const names = [
    'localhost',
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    'kubernetes.default.svc.cluster.local',
  ]
  const apiNames = [
    ...names.map((name) => `DNS:${name}`),
    ...['127.0.0.1', nodeIp, hostIp, apiServiceIp].map((ip) => `IP:${ip}`),
  ]
  await Promise.all([
    sign(all.ca, all.apiserver, '/CN=kube-apiserver', apiNames),
    sign(all.ca, all.kubelet, `/O=system:nodes/CN=system:node:${nodeName}`, [`DNS:${nodeName}`, `IP:${nodeIp}`]),
    sign(all.ca, all.admin, '/O=system:masters/CN=admin', ['DNS:admin']),
    openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', all.serviceAccount.key),
  ])
  await openssl('pkey', '-in', all.serviceAccount.key, '-pubout', '-out', all.serviceAccount.publicKey)
  return all
}

/** A kubeconfig with everything inside, so that the file alone may be handed on. */
export async function writeKubeconfig(file: string, server: string, ca: Certificate, user: Certificate): Promise<void> {
  const [authority, cert, key] = await Promise.all([ca.cert, user.cert, user.key].map((path) => readFile(path, 'base64')))
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': contextName,
    clusters: [{ name: contextName, cluster: { server, 'certificate-authority-data': authority } }],
    users: [{ name: contextName, user: { 'client-certificate-data': cert, 'client-key-data': key } }],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
  }
  await writeFile(file, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
}

export const contextName = 'holdfast'

async function sign(ca: Certificate, wanted: Certificate, subject: string, alternativeNames: readonly string[]): Promise<void> {
  const request = `${wanted.cert}.csr`
  const extensions = `${wanted.cert}.ext`
  await openssl('req', ...newKey(wanted), '-subj', subject, '-out', request)
  await writeFile(extensions, `subjectAltName=${alternativeNames.join(',')}\nextendedKeyUsage=serverAuth,clientAuth\n`)
  const serial = `0x${Buffer.from(crypto.getRandomValues(new Uint8Array(8))).toString('hex')}`
  const authority = ['-CA', ca.cert, '-CAkey', ca.key, '-set_serial', serial]
  await openssl('x509', '-req', '-in', request, ...authority, '-days', '3650', '-extfile', extensions, '-out', wanted.cert)
}

/** Elliptic keys are made at once; RSA took a second each. */
function newKey(wanted: Certificate): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', wanted.key]
}

async function openssl(...args: string[]): Promise<void> {
  await run('openssl', args)
}
