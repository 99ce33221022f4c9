import { withCleanupSignal } from '../../base/deadline.ts'
import { storeError } from '../errors.ts'
import type { GcsAnswer, GcsConnection } from './connection.ts'

/** 308: the store has taken what it says, and waits for more. */
const moreWanted = 308
/** The answer to a session that was given up. */
const givenUp = 499
const stuckTries = 5

/** A resumable upload: bytes in order, in chunks of whole 256 KiB, of which nothing is visible before the last has arrived. */
export class UploadSession {
  readonly #connection: GcsConnection
  readonly #key: string
  readonly #url: string
  #storedBytes = 0

  private constructor(connection: GcsConnection, key: string, url: string) {
    this.#connection = connection
    this.#key = key
    this.#url = url
  }

  static async start(connection: GcsConnection, key: string, signal: AbortSignal): Promise<UploadSession> {
    const call = {
      method: 'POST',
      path: connection.uploadPath(),
      query: { uploadType: 'resumable' },
      headers: { 'content-type': 'application/json; charset=UTF-8', 'x-upload-content-type': 'application/octet-stream' },
      body: [Buffer.from(JSON.stringify({ name: key }))],
    }
    const { headers } = await connection.requests.send(
      `start of the upload of object "${key}"`,
      (each) => connection.call(call, each),
      { signal },
    )
    if (headers.location === undefined) {
      throw storeError('STORE_UNAVAILABLE', `${connection.requests.where} started an upload of "${key}" without saying where`)
    }
    return new UploadSession(connection, key, headers.location)
  }

  /**
   * Sends the next bytes. The store may take fewer, and after a break it is asked what it has; both go on from there. With the last
   * chunk comes the published object.
   */
  async send(bytes: Uint8Array, isLast: boolean, signal: AbortSignal): Promise<GcsAnswer['json'] | undefined> {
    const start = this.#storedBytes
    const end = start + bytes.length
    const total = isLast ? end : undefined
    let unsure = false
    for (let stuck = 0; ; stuck++) {
      const before = this.#storedBytes
      const answer = await this.#connection.requests.send(
        `bytes ${start} to ${end} of object "${this.#key}"`,
        async (each) => {
          if (unsure) {
            const state = await this.#put(`bytes */${total ?? '*'}`, [], each)
            if (this.#note(state, start, end)) return state
          }
          unsure = true
          const piece = bytes.subarray(this.#storedBytes - start)
          const range = piece.length === 0 ? '*' : `${this.#storedBytes}-${end - 1}`
          return this.#put(`bytes ${range}/${total ?? '*'}`, piece.length === 0 ? [] : [piece], each)
        },
        { signal, patient: true },
      )
      unsure = false
      if (this.#note(answer, start, end)) return answer.status === moreWanted ? undefined : answer.json
      if (this.#storedBytes > before) stuck = 0
      if (stuck >= stuckTries) {
        throw storeError('STORE_UNAVAILABLE', `${this.#connection.requests.where} takes no more bytes of object "${this.#key}"`)
      }
    }
  }

  /** Forgets what was sent. Uses a signal of its own, since it follows on aborts. What cannot be given up ends after a week. */
  async abort(): Promise<void> {
    const { requests } = this.#connection
    await withCleanupSignal(`abort of the upload of "${this.#key}"`, requests.timing.cleanupMs, async (signal) => {
      const call = { method: 'DELETE', path: this.#url, also: [givenUp, 404, 410] }
      await requests.send(`abort of the upload of object "${this.#key}"`, (each) => this.#connection.call(call, each), {
        signal,
      })
    })
  }

  #put(range: string, body: readonly Uint8Array[], signal: AbortSignal): Promise<GcsAnswer> {
    const call = { method: 'PUT', path: this.#url, headers: { 'content-range': range }, body, also: [moreWanted] }
    return this.#connection.call(call, signal)
  }

  /** Notes how far the store is. True: it has all of what is being sent. */
  #note(answer: GcsAnswer, start: number, end: number): boolean {
    if (answer.status !== moreWanted) {
      this.#storedBytes = end
      return true
    }
    const last = /^bytes=0-(\d+)$/.exec(String(answer.headers['range'] ?? ''))?.[1]
    const stored = last === undefined ? 0 : Number(last) + 1
    if (stored < start || stored > end) {
      const text = `${this.#connection.requests.where} has ${stored} bytes of object "${this.#key}" where it had ${start}`
      throw storeError('STORE_REFUSED', `${text}: the upload cannot go on`)
    }
    this.#storedBytes = stored
    return stored === end
  }
}
