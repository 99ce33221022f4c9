import { backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { nextOf } from '../base/errors.ts'
import { errorOfTransport } from './api-errors.ts'
import type { KubeClient } from './client.ts'
import { kubeError } from './errors.ts'
import { withContainer } from './exec/target.ts'
import { kinds, type Pod } from './kinds.ts'
import type { Kube } from './kube.ts'
import { LineSplitter } from './lines.ts'
import { type Live, pathOf } from './objects.ts'
import { hasStarted, isTerminal, statusOf, stuckReason } from './pod-state.ts'
import type { PodLogOptions, PodRef } from './pods.ts'
import { createResourceApi } from './resources.ts'

/** A kubelet that has just started knows its pods after some seconds; until then it says that there is no such log. */
const strangerMs = 60_000

/** How long a container may take to start before its log can be followed. */
const startMs = 900_000

/**
 * Where we are in a log. The kubelet stamps each line in nanoseconds; several lines may share a stamp. `sinceTime` has
 * whole seconds, so a reopened log begins before our place: lines are skipped up to it, and a log that begins after it
 * has lost lines.
 */
interface Place {
  readonly stamp: string
  /** Lines of this stamp that were handed on. */
  readonly count: number
}

/** See `Pods.logLines`. */
export async function* logLines(
  client: KubeClient,
  waitFor: Kube['waitFor'],
  clock: Clock,
  ref: PodRef,
  options: PodLogOptions,
): AsyncGenerator<string> {
  const { follow = true, signal } = options
  const { container } = await withContainer(
    client,
    { namespace: ref.namespace, pod: ref.name, container: options.container },
    signal,
  )
  if (follow) await waitContainerStarted(waitFor, ref, container, signal)
  const read = {
    client,
    ref,
    container,
    follow,
    signal: signal ?? new AbortController().signal,
    maxLineBytes: options.maxLineBytes,
  }
  let place: Place | undefined
  let failures = 0
  let strangerSinceMs: number | undefined
  for (;;) {
    // Asked before the log is opened: a log that was opened after the end and read to its end is whole.
    const endedBefore = !follow || (await hasEnded(client, ref, container, signal))
    try {
      for await (const line of readFrom(read, place, endedBefore)) {
        failures = 0
        strangerSinceMs = undefined
        place = line.place
        yield line.text
      }
      if (endedBefore) return
    } catch (error) {
      signal?.throwIfAborted()
      // The pod is there: we have just looked.
      const isStranger = follow && kubeError.is(error, 'KUBE_NOT_FOUND')
      if (isStranger) strangerSinceMs ??= clock.now()
      const mayHeal = isStranger ? clock.now() - (strangerSinceMs ?? 0) < strangerMs : nextOf(error) === 'retry'
      if (!mayHeal || !follow) throw error
    }
    if (failures++ > 0) await clock.sleep(backoffMs(failures - 1, { maxMs: 5_000 }), signal)
  }
}

interface Read {
  readonly client: KubeClient
  readonly ref: PodRef
  readonly container: string
  readonly follow: boolean
  readonly signal: AbortSignal
  readonly maxLineBytes: number | undefined
}

/** One opening of the log. Text after the last newline counts only when the log is `whole`; else it is read again. */
async function* readFrom(
  read: Read,
  place: Place | undefined,
  whole: boolean,
): AsyncGenerator<{ readonly text: string; readonly place: Place }> {
  const { client, ref, container, follow, signal, maxLineBytes } = read
  const path = pathOf(kinds.pods, { namespace: ref.namespace, name: ref.name, subresource: 'log' })
  const query = { container, follow, timestamps: true, sinceTime: place && `${place.stamp.slice(0, 19)}Z` }
  const body = await client.stream({ method: 'GET', path, query }, { signal })
  let ready: Array<{ readonly text: string; readonly whole: boolean }> = []
  const splitter = new LineSplitter((text, complete) => ready.push({ text, whole: complete }), maxLineBytes)
  const places = new Placer(place, `pod "${ref.namespace}/${ref.name}", container "${container}"`)
  try {
    for await (const chunk of body) {
      splitter.push(chunk as Buffer)
      for (const piece of ready) {
        const line = places.take(piece.text, piece.whole)
        if (line) yield line
      }
      ready = []
    }
  } catch (error) {
    signal.throwIfAborted()
    places.checkCut()
    throw kubeError.is(error) ? error : errorOfTransport(error, client.server)
  } finally {
    body.destroy()
  }
  if (whole) splitter.end()
  else places.checkCut()
  for (const piece of ready) {
    const line = places.take(piece.text, piece.whole)
    if (line) yield line
  }
  places.checkEnd()
}

/** Takes the stamps off, skips what was seen and notices what is missing. */
class Placer {
  readonly #resume: Place | undefined
  readonly #where: string
  #place: Place | undefined
  #seen = 0
  #caughtUp: boolean
  #inLine = false
  #skipping = false

  constructor(resume: Place | undefined, where: string) {
    this.#resume = resume
    this.#where = where
    this.#caughtUp = resume === undefined
    this.#place = resume
  }

  take(raw: string, whole: boolean): { readonly text: string; readonly place: Place } | undefined {
    const continued = this.#inLine
    this.#inLine = !whole
    if (continued) return this.#skipping || !this.#place ? undefined : { text: raw, place: this.#place }
    const space = raw.indexOf(' ')
    const stamp = space < 0 ? raw : raw.slice(0, space)
    const text = space < 0 ? '' : raw.slice(space + 1)
    this.#skipping = !this.#isNew(stamp)
    if (this.#skipping) return undefined
    this.#place = { stamp, count: stamp === this.#place?.stamp ? this.#place.count + 1 : 1 }
    return { text, place: this.#place }
  }

  /** In the middle of an over-long line of which pieces were handed on, nobody can go on. */
  checkCut(): void {
    if (this.#inLine && !this.#skipping)
      throw kubeError('KUBE_LOG_LOST', `${this.#where}: the log was cut within a very long line`)
  }

  /** The log ended before our place: it was rotated, or is another container's. */
  checkEnd(): void {
    if (!this.#caughtUp && this.#seen < (this.#resume?.count ?? 0)) throw this.#lost()
  }

  #isNew(stamp: string): boolean {
    const resume = this.#resume
    if (this.#caughtUp || !resume) return true
    if (stamp === resume.stamp) {
      if (this.#seen === resume.count) return (this.#caughtUp = true)
      this.#seen++
      return false
    }
    if (isBefore(stamp, resume.stamp)) return false
    if (this.#seen < resume.count) throw this.#lost()
    return (this.#caughtUp = true)
  }

  #lost(): Error {
    return kubeError(
      'KUBE_LOG_LOST',
      `${this.#where}: lines after ${this.#resume?.stamp} were rotated away before they could be read; print less or raise the kubelet's containerLogMaxSize`,
    )
  }
}

/** RFC 3339 in UTC with a fraction of any length. */
function isBefore(a: string, b: string): boolean {
  const [left, right] = [a.slice(0, 19), b.slice(0, 19)]
  if (left !== right) return left < right
  return fraction(a) < fraction(b)
}

function fraction(stamp: string): string {
  return (/\.(\d+)/.exec(stamp)?.[1] ?? '').padEnd(9, '0')
}

async function waitContainerStarted(
  waitFor: Kube['waitFor'],
  ref: PodRef,
  container: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const started = (pod: Live<Pod> | undefined): true | undefined => {
    if (!pod) throw kubeError('KUBE_POD_GONE', `pod "${ref.namespace}/${ref.name}" does not exist`)
    const state = statusOf(pod, container)?.state
    if (state?.running || state?.terminated) return true
    const stuck = stuckReason(pod)
    if (stuck) throw stuck
    if (isTerminal(pod)) return true
    return hasStarted(pod) && !state?.waiting ? true : undefined
  }
  await waitFor(kinds.pods, ref, started, { signal, timeoutMs: startMs, what: `to start container "${container}"` })
}

async function hasEnded(client: KubeClient, ref: PodRef, container: string, signal: AbortSignal | undefined): Promise<boolean> {
  const pod = await createResourceApi(client, kinds.pods).find(ref, { signal })
  if (!pod) throw kubeError('KUBE_POD_GONE', `pod "${ref.namespace}/${ref.name}" was deleted while its log was read`)
  return isTerminal(pod) || statusOf(pod, container)?.state?.terminated !== undefined
}
