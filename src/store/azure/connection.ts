import { readFile } from 'node:fs/promises'
import type { ContainerClient } from '@azure/storage-blob'
import { storeError } from '../errors.ts'
import { Requests, type SendOptions } from '../requests.ts'
import { federatedToken } from './federated-token.ts'
import type { AzureSettings } from './settings.ts'
import { hasAzureAnswer, translateAzureError } from './translate-error.ts'

type AzureModule = typeof import('@azure/storage-blob')

export type AzureAttempt<T> = (container: ContainerClient, signal: AbortSignal) => Promise<T>

/** A file with a signature is read again after so long: its signature runs out and is replaced. */
const rereadMs = 60_000

/** A client for one container. The library is loaded by the first call: 46 MB that an idle process does not pay. */
export class AzureConnection {
  readonly container: string
  readonly requests: Requests
  readonly #settings: AzureSettings
  #client: Promise<ContainerClient> | undefined
  #openedAt = 0

  constructor(settings: AzureSettings) {
    this.#settings = settings
    this.container = settings.container
    const where = `container "${settings.container}" at ${settings.endpoint}`
    const { timing, clock } = settings
    this.requests = new Requests({
      where,
      ...(timing ? { timing } : {}),
      ...(clock ? { clock } : {}),
      translate: (error, what) => translateAzureError(error, { what, where, bucket: settings.container }),
      hasAnswer: hasAzureAnswer,
    })
  }

  async send<T>(what: string, attempt: AzureAttempt<T>, options: SendOptions = {}): Promise<T> {
    return this.requests.send(what, async (signal) => attempt(await this.#open(), signal), options)
  }

  /** One try without a deadline: for answers whose body outlives the call. */
  async unbounded<T>(what: string, attempt: AzureAttempt<T>, signal: AbortSignal): Promise<T> {
    return this.requests.unbounded(what, async (each) => attempt(await this.#open(), each), signal)
  }

  async #open(): Promise<ContainerClient> {
    const now = this.requests.clock.now()
    const stale = 'sasTokenFile' in this.#settings.access && now - this.#openedAt > rereadMs
    if (this.#client === undefined || stale) {
      this.#openedAt = now
      this.#client = openClient(this.#settings, () => this.requests.clock.now())
      this.#client.catch(() => (this.#client = undefined))
    }
    return this.#client
  }
}

async function openClient(settings: AzureSettings, now: () => number): Promise<ContainerClient> {
  const sdk: AzureModule = await import('@azure/storage-blob')
  const { access, endpoint, container, skipSslVerify = false, caPem } = settings
  // Passed on to the HTTP client as they are, though the library's types do not name `tlsOptions`.
  const options = {
    // One try here: repeating is ours, where a part's bytes and the caller's signal are known.
    retryOptions: { maxTries: 1 },
    ...(skipSslVerify || caPem !== undefined
      ? { tlsOptions: { ...(caPem === undefined ? {} : { ca: caPem }), rejectUnauthorized: !skipSslVerify } }
      : {}),
  }
  const url = `${endpoint}/${encodeURIComponent(container)}`
  if ('sasTokenFile' in access) {
    const token = await sasToken(access.sasTokenFile)
    return new sdk.ContainerClient(`${url}?${token}`, new sdk.AnonymousCredential(), options)
  }
  if ('workload' in access) return new sdk.ContainerClient(url, federatedToken(access.workload, now), options)
  return new sdk.ContainerClient(url, new sdk.StorageSharedKeyCredential(access.account, access.key), options)
}

async function sasToken(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw storeError('STORE_DENIED', `the file of the SAS token, ${file}, cannot be read`, { cause: error })
  })
  const token = text.trim().replace(/^\?/, '')
  if (token === '') throw storeError('STORE_DENIED', `the file of the SAS token, ${file}, is empty`)
  return token
}
