import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { readReview, renderReview, type AdmissionRequest } from './admission-review.ts'
import type { Verdict } from './verdict.ts'

/** Checks by the path that the API server calls. */
export type Judges = Readonly<Record<string, (request: AdmissionRequest) => Verdict>>

export interface AdmissionServerOptions {
  /** 0 takes a free one. */
  readonly port: number
  /** PEM. */
  readonly certificate: { readonly cert: string; readonly key: string }
  readonly judges: Judges
  /** Called after each answer; an `error` is a defect of ours, and the object was let in. */
  readonly onAnswer?: (request: AdmissionRequest, verdict: Verdict, error?: unknown) => void
}

export interface AdmissionServer {
  readonly port: number
  /** For connections from now on. */
  useCertificate(certificate: { readonly cert: string; readonly key: string }): void
  close(): Promise<void>
}

/** An update carries two objects, and the API server takes objects of up to 3 MiB. */
const longestBody = 8 * 1024 * 1024
/** For the whole of a request to arrive; the API server waits less. */
const requestMs = 5_000
const connections = 64

/**
 * Answers AdmissionReviews. A request that is none gets a 4xx; whatever fails on our side lets the object in, since a check must not
 * come between people and their cluster.
 */
export async function startAdmissionServer(options: AdmissionServerOptions): Promise<AdmissionServer> {
  const server = createServer(
    { ...options.certificate, minVersion: 'TLSv1.2', requestTimeout: requestMs, headersTimeout: requestMs },
    (request, response) => {
      answer(options, request, response).catch(() => response.destroy())
    },
  )
  server.maxConnections = connections
  server.setTimeout(90_000)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, resolve)
  })
  // Such as a caller that does not trust us: its own log says so.
  server.on('error', () => undefined)
  return {
    port: (server.address() as AddressInfo).port,
    useCertificate: (certificate) => server.setSecureContext({ ...certificate, minVersion: 'TLSv1.2' }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  { judges, onAnswer }: AdmissionServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '').split('?')[0] ?? ''
  const judge = Object.hasOwn(judges, path) ? judges[path] : undefined
  if (!judge) return refuse(response, 404, 'there is no check at this path')
  if (request.method !== 'POST') return refuse(response, 405, 'only POST')
  const body = await readBody(request)
  if (body === undefined) return refuse(response, 413, `longer than ${longestBody} bytes`)
  const review = readReview(body)
  if (!review) return refuse(response, 400, 'this is no AdmissionReview of admission.k8s.io/v1')
  const { verdict, error } = judged(judge, review)
  response.writeHead(200, { 'content-type': 'application/json' }).end(renderReview(review.uid, verdict))
  onAnswer?.(review, verdict, error)
}

function judged(
  judge: (request: AdmissionRequest) => Verdict,
  review: AdmissionRequest,
): { readonly verdict: Verdict; readonly error?: unknown } {
  try {
    return { verdict: judge(review) }
  } catch (error) {
    return { verdict: { warnings: ['the check itself failed; the log of the Holdfast operator says why'] }, error }
  }
}

async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > longestBody) return undefined
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > longestBody) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The rest of what was sent is not read. */
function refuse(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`)
}
