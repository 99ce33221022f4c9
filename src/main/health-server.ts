import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface HealthOptions {
  readonly port: number
  readonly livenessPath: string
  readonly readinessPath: string
  /** Why the process does not do its work, for people; undefined when it does. */
  readonly whyNotReady: () => string | undefined
  /** The text of /metrics. */
  readonly metrics: () => Promise<string>
}

export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/** Answers probes and serves metrics; Kanister's paths, JSON and port, and the reason beside a "not ready". */
export async function startHealthServer(options: HealthOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0]
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type }).end(body)
    }
    if (path === options.livenessPath) return send(200, 'application/json', '{"alive":true}')
    if (path === options.readinessPath) {
      const reason = options.whyNotReady()
      return reason === undefined
        ? send(200, 'application/json', '{"status":"ready"}')
        : send(503, 'application/json', JSON.stringify({ status: 'not ready', reason }))
    }
    if (path !== '/metrics') return send(404, 'text/plain', 'not found\n')
    options.metrics().then(
      (text) => send(200, 'text/plain; version=0.0.4', text),
      () => send(500, 'text/plain', 'metrics cannot be read\n'),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
