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
   * Sends the next bytes. After a break they are sent again: the store ignores what it has already. It may also take fewer, and is then
   * sent the rest. With the last chunk comes the published object; `lost`, when the session has ended and only its answer is missing.
   */
  async send(bytes: Uint8Array, isLast: boolean, signal: AbortSignal): Promise<GcsAnswer['json'] | 'lost' | undefined> {
    const start = this.#storedBytes
    const end = start + bytes.length
    for (let stuck = 0; stuck < stuckTries; stuck++) {
      const before = this.#storedBytes
      const range = `bytes ${before}-${end - 1}/${isLast ? end : '*'}`
      let tries = 0
      let answer: GcsAnswer
      try {
        answer = await this.#connection.requests.send(
          `bytes ${before} to ${end} of object "${this.#key}"`,
          (each) => {
            tries++
            return this.#put(range, bytes.subarray(before - start), each)
          },
          { signal, patient: true },
        )
      } catch (error) {
        if (isLast && tries > 1 && storeError.is(error, 'STORE_NOT_FOUND')) return 'lost'
        throw error
      }
      if (this.#note(answer, start, end)) return answer.status === moreWanted ? undefined : answer.json
      if (this.#storedBytes > before) stuck = -1
    }
    throw storeError('STORE_UNAVAILABLE', `${this.#connection.requests.where} takes no more bytes of object "${this.#key}"`)
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

  #put(range: string, bytes: Uint8Array, signal: AbortSignal): Promise<GcsAnswer> {
    const call = { method: 'PUT', path: this.#url, headers: { 'content-range': range }, body: [bytes], also: [moreWanted] }
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
