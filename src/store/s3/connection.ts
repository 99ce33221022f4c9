import type { S3Client, S3ServiceException } from '@aws-sdk/client-s3'
import { retry } from '../../base/backoff.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import { nextOf } from '../../base/errors.ts'
import { storeError } from '../errors.ts'
import { type StoreTiming, defaultTiming } from '../timing.ts'
import { canBeRenewed, openCredentials } from './credentials.ts'
import type { S3Settings } from './settings.ts'
import type { RequestSubject } from '../request-subject.ts'
import { translateError } from './translate-error.ts'

export type S3Module = typeof import('@aws-sdk/client-s3')

/** One try of a request. `sdk` is the library, loaded when first needed: 30 MB that an idle process does not pay. */
export type Attempt<T> = (client: S3Client, sdk: S3Module, signal: AbortSignal) => Promise<T>

interface Loaded {
  readonly client: S3Client
  readonly sdk: S3Module
  readonly region: string
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined
  /** Worth more tries than others: part of something long. */
  readonly patient?: boolean
}

/** A client for one bucket: repeats what may heal, learns the bucket's region, speaks in errors of this room. */
export class S3Connection {
  readonly bucket: string
  readonly where: string
  readonly timing: StoreTiming
  readonly clock: Clock
  readonly settings: S3Settings
  #region: string
  #loaded: Promise<Loaded> | undefined
  #current: Loaded | undefined
  #answered = false

  constructor(settings: S3Settings) {
    this.settings = settings
    this.bucket = settings.bucket
    this.where = `bucket "${settings.bucket}" at ${settings.endpoint ?? 'AWS'}`
    this.timing = { ...defaultTiming, ...settings.timing }
    this.clock = settings.clock ?? systemClock
    this.#region = settings.region === undefined || settings.region === '' ? 'us-east-1' : settings.region
  }

  /** Runs `attempt` until it succeeds or is not worth repeating. `what` is a noun: `put of object "k"`. */
  async send<T>(what: string, attempt: Attempt<T>, options: SendOptions = {}): Promise<T> {
    const signal = options.signal ?? new AbortController().signal
    const policy = options.patient ? this.timing.patientRetry : this.timing.retry
    const { clock } = this
    const start = clock.now()
    // Asked at each failure: an endpoint that says SlowDown to its first request has answered.
    const when = (error: unknown): boolean => nextOf(error) === 'retry' && clock.now() - start < this.budgetMs
    return retry(() => this.once(what, attempt, signal), { ...policy, when, signal, clock })
  }

  /** How long something may be repeated, beside how often. */
  get budgetMs(): number {
    return this.#answered ? Infinity : this.timing.firstAnswerMs
  }

  /** One try within the deadline of a request, its failure translated. */
  async once<T>(what: string, attempt: Attempt<T>, signal: AbortSignal): Promise<T> {
    return withDeadline(`${what} in ${this.where}`, this.timing.requestMs, signal, (both) =>
      this.unbounded(what, attempt, both),
    )
  }

  /** As `once`, without a deadline: for answers whose body outlives the call. */
  async unbounded<T>(what: string, attempt: Attempt<T>, signal: AbortSignal): Promise<T> {
    return this.#unbounded(what, attempt, signal, false)
  }

  async #unbounded<T>(what: string, attempt: Attempt<T>, signal: AbortSignal, renewed: boolean): Promise<T> {
    const loaded = await this.#load()
    const { client, sdk, region } = loaded
    try {
      const result = await attempt(client, sdk, signal)
      this.#answered = true
      return result
    } catch (error) {
      signal.throwIfAborted()
      if (hasAnswer(error)) this.#answered = true
      if (this.#learnRegion(error, region)) return this.#unbounded(what, attempt, signal, renewed)
      if (!renewed && this.#dropExpired(error, loaded)) return this.#unbounded(what, attempt, signal, true)
      throw this.translate(error, what)
    }
  }

  translate(error: unknown, what: string): unknown {
    const subject: RequestSubject = { what, where: this.where, bucket: this.bucket }
    return translateError(error, subject)
  }

  async close(): Promise<void> {
    const loaded = this.#loaded
    this.#loaded = undefined
    if (loaded) (await loaded).client.destroy()
  }

  #load(): Promise<Loaded> {
    const region = this.#region
    this.#loaded ??= this.#open(region).catch((error: unknown) => {
      this.#loaded = undefined
      throw error
    })
    return this.#loaded
  }

  async #open(region: string): Promise<Loaded> {
    const [sdk, credentials] = await Promise.all([
      import('@aws-sdk/client-s3'),
      openCredentials(this.settings.credentials, this.settings.region, this.timing),
    ])
    this.#current = { sdk, region, client: openClient(sdk, { ...this.settings, credentials }, region, this.timing) }
    return this.#current
  }

  /** The store says that the token has ended, before its time or by another clock. True when newer credentials may be had. */
  #dropExpired(error: unknown, loaded: Loaded): boolean {
    if (!(error instanceof Error) || !expiredNames.has(error.name) || !canBeRenewed(this.settings.credentials)) return false
    if (this.#current === loaded) this.#loaded = undefined
    return true
  }

  /** AWS and others say which region a bucket is in when a request was signed for another. True when that is news. */
  #learnRegion(error: unknown, used: string): boolean {
    const region = regionSaid(error)
    if (region === undefined || region === used) return false
    if (region !== this.#region) {
      // The old client is left to the requests that still use it; idle sockets keep no process alive.
      this.#region = region
      this.#loaded = undefined
    }
    return true
  }
}

const expiredNames: ReadonlySet<string> = new Set(['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'])

type ClientSettings = Omit<S3Settings, 'credentials'> & { readonly credentials: Awaited<ReturnType<typeof openCredentials>> }

function openClient(sdk: S3Module, settings: ClientSettings, region: string, timing: StoreTiming): S3Client {
  const { endpoint, credentials, skipSslVerify = false, caPem, maxConnections = 64 } = settings
  // `timeout` is for idle sockets: a store that nobody uses any more holds none.
  const sockets = { keepAlive: true, maxSockets: maxConnections, timeout: 60_000 }
  return new sdk.S3Client({
    region,
    credentials,
    ...(endpoint === undefined ? {} : { endpoint: checkedEndpoint(endpoint) }),
    // A dot in the name would not match a wildcard certificate.
    forcePathStyle: endpoint !== undefined || settings.bucket.includes('.'),
    // One try here: repeating is ours, where a part's bytes and the caller's signal are known.
    maxAttempts: 1,
    // Every payload is signed with its SHA-256; further checksums are decided in checksums.ts.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Costs a round trip and a new connection for every part.
    expectContinueHeader: false,
    requestHandler: {
      connectionTimeout: timing.connectMs,
      socketTimeout: timing.idleMs,
      httpAgent: sockets,
      httpsAgent: { ...sockets, rejectUnauthorized: !skipSslVerify, ...(caPem === undefined ? {} : { ca: caPem }) },
    },
  })
}

function checkedEndpoint(endpoint: string): string {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw storeError('STORE_BAD_LOCATION', `endpoint "${endpoint}" is not a URL that begins with http:// or https://`)
  }
  return endpoint.replace(/\/+$/, '')
}

/** True when the store said something, were it no. */
function hasAnswer(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  // Shape of the SDK's ServiceException; checked.
  const { $metadata: metadata } = error as { $metadata?: { httpStatusCode?: unknown } }
  return typeof metadata?.httpStatusCode === 'number'
}

function regionSaid(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const given = error as S3ServiceException & { Region?: unknown }
  if (error.name === 'AuthorizationHeaderMalformed' && typeof given.Region === 'string') return given.Region
  const status = given.$metadata?.httpStatusCode
  const header: unknown = given.$response?.headers['x-amz-bucket-region']
  return (status === 301 || status === 400 || status === 307) && typeof header === 'string' ? header : undefined
}
