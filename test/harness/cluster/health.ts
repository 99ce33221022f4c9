import { get as httpGet } from 'node:http'
import { get as httpsGet } from 'node:https'
import { connect } from 'node:net'
import { readFile } from 'node:fs/promises'
import { certificatesIn, nodeName } from './certificates.ts'
import { apiPort, type NodeSetup, redisPort, s3Port } from './programs.ts'

/** GET on the API server as admin; the body, or an error with the status. */
export async function askApi(setup: NodeSetup, path: string, timeoutMs = 2000): Promise<string> {
  const { ca, admin } = certificatesIn(setup.state)
  const [authority, cert, key] = await Promise.all([ca.cert, admin.cert, admin.key].map((file) => readFile(file)))
  const tls = { ca: authority, cert, key, agent: false, timeout: timeoutMs }
  return new Promise((resolve, reject) => {
    const request = httpsGet(`https://${setup.network.nodeIp}:${apiPort}${path}`, tls, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(chunks).toString()
        if (response.statusCode === 200) resolve(body)
        else reject(new Error(`GET ${path}: ${response.statusCode} ${body.slice(0, 300)}`))
      })
    })
    request.on('timeout', () => request.destroy(new Error(`GET ${path}: no answer within ${timeoutMs} ms`)))
    request.on('error', reject)
  })
}

export async function isApiReady(setup: NodeSetup): Promise<boolean> {
  return (await askApi(setup, '/readyz')) === 'ok'
}

export async function isNodeReady(setup: NodeSetup): Promise<boolean> {
  const node = JSON.parse(await askApi(setup, `/api/v1/nodes/${nodeName}`)) as {
    readonly spec: { readonly taints?: readonly unknown[] }
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
  }
  const ready = node.status.conditions?.find((condition) => condition.type === 'Ready')?.status === 'True'
  return ready && (node.spec.taints ?? []).length === 0
}

/** Pods of a namespace can be made only when its default service account is there. */
export async function hasServiceAccount(setup: NodeSetup): Promise<boolean> {
  return (await askApi(setup, '/api/v1/namespaces/default/serviceaccounts/default')) !== ''
}

export async function isS3Ready(setup: NodeSetup): Promise<boolean> {
  return new Promise((resolve) => {
    const request = httpGet({ host: setup.network.nodeIp, port: s3Port, timeout: 2000, agent: false }, (response) => {
      response.resume()
      resolve(true)
    })
    request.on('timeout', () => request.destroy())
    request.on('error', () => resolve(false))
  })
}

export async function isRedisReady(setup: NodeSetup): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: setup.network.nodeIp, port: redisPort, timeout: 2000 })
    const end = (ready: boolean): void => {
      socket.destroy()
      resolve(ready)
    }
    socket.on('connect', () => socket.write('PING\r\n'))
    socket.on('data', (data) => end(data.toString().startsWith('+PONG')))
    socket.on('timeout', () => end(false))
    socket.on('error', () => end(false))
    socket.on('close', () => resolve(false))
  })
}
