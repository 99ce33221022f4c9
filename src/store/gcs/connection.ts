import type { IncomingMessage } from 'node:http'
import type { AuthClient } from 'google-auth-library'
import { orAborted } from '../../base/or-aborted.ts'
import { Requests } from '../requests.ts'
import { defaultTiming } from '../timing.ts'
import { HttpClient } from './http-client.ts'
import type { GcsSettings } from './settings.ts'
import { openAuth, tokenFault } from './identity.ts'
import { GcsFault, translateGcsError } from './translate-error.ts'

export const googleEndpoint = 'https://storage.googleapis.com'
/** Answers in JSON are small; more is no answer of this API. */
const largestAnswerBytes = 32 * 1024 * 1024

export interface GcsCall {
  readonly method: string
  /** Below the endpoint; or a whole URL that the store gave. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Uint8Array[]
  /** Statuses beside 2xx that are no failure. */
  readonly also?: readonly number[]
}

export interface GcsAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly json: Readonly<Record<string, unknown>>
}

/** The JSON API of Google Cloud Storage for one bucket, signed by a service account. */
export class GcsConnection {
  readonly bucket: string
  readonly requests: Requests
  readonly #endpoint: string
  readonly #http: HttpClient
  readonly #settings: GcsSettings
  #auth: Promise<AuthClient> | undefined

  constructor(settings: GcsSettings) {
    this.#settings = settings
    this.bucket = settings.bucket
    this.#endpoint = settings.endpoint ?? googleEndpoint
    const { skipSslVerify = false, caPem, maxConnections = 64, timing, clock } = settings
    const where = `bucket "${settings.bucket}" at ${this.#endpoint}`
    this.#http = new HttpClient({
      skipSslVerify,
      maxConnections,
      idleMs: timing?.idleMs ?? defaultTiming.idleMs,
      ...(caPem === undefined ? {} : { caPem }),
    })
    this.requests = new Requests({
      where,
      ...(timing ? { timing } : {}),
      ...(clock ? { clock } : {}),
      translate: (error, what) => translateGcsError(error, { what, where, bucket: settings.bucket }),
      hasAnswer: (error) => error instanceof GcsFault,
    })
  }

  /** `/storage/v1/b/<bucket>/o`, or one object of it. */
  pathOf(key?: string): string {
    const objects = `/storage/v1/b/${encodeURIComponent(this.bucket)}/o`
    return key === undefined ? objects : `${objects}/${encodeURIComponent(key)}`
  }

  uploadPath(): string {
    return `/upload${this.pathOf()}`
  }

  /** One try of a call whose answer is JSON or empty. */
  async call(call: GcsCall, signal: AbortSignal): Promise<GcsAnswer> {
    const answer = await this.open(call, signal)
    const body = await textOf(answer)
    return { status: answer.statusCode ?? 0, headers: answer.headers, json: jsonOf(body) }
  }

  /** One try of a call whose answer is read as a stream. */
  async open(call: GcsCall, signal: AbortSignal): Promise<IncomingMessage> {
    // The library takes no signal, and a token server may never answer.
    const headers = { ...call.headers, ...(await orAborted(this.#authorization(), signal)) }
    signal.throwIfAborted()
    const answer = await this.#http.request(this.#urlOf(call), {
      method: call.method,
      headers,
      ...(call.body ? { body: call.body } : {}),
      signal,
    })
    const status = answer.statusCode ?? 0
    if ((status >= 200 && status < 300) || call.also?.includes(status)) return answer
    throw new GcsFault(status, await textOf(answer).catch(() => ''))
  }

  close(): void {
    this.#http.close()
  }

  #urlOf({ path, query = {} }: GcsCall): string {
    const url = new URL(path.startsWith('/') ? `${this.#endpoint}${path}` : path)
    for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value)
    return url.href
  }

  async #authorization(): Promise<Record<string, string>> {
    const headers = await (await this.#identity()).getRequestHeaders().catch((error: unknown) => {
      throw tokenFault(error)
    })
    return { authorization: headers.get('authorization') ?? '' }
  }

  #identity(): Promise<AuthClient> {
    if (this.#auth) return this.#auth
    const opened = openAuth(this.#settings.account)
    this.#auth = opened
    // The next try may find what this one did not.
    opened.catch(() => (this.#auth = undefined))
    return opened
  }
}

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > largestAnswerBytes) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  if (text === '') return {}
  try {
    const value: unknown = JSON.parse(text)
    // Each field is checked where it is read.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
