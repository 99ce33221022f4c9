import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../base/errors.ts'
import { kubeError } from '../errors.ts'
import type { ExecConnection } from './connection.ts'

/** Each block costs a `dd` in the container, so small pieces are put together, but not held back for long. */
const blockBytes = 512 << 10
const lingerMs = 10

export interface Pumped {
  readonly bytes: number
  /** The EOF was handed over too. */
  readonly ended: boolean
}

/**
 * Feeds `source` into a command: in blocks with their length (wrapper mode `i`), or raw. Ends without error when `over`
 * resolves or the connection is lost (which shows elsewhere); rejects with KUBE_EXEC_INPUT when the source fails, and
 * then no EOF is sent, so that the command cannot take a part for the whole.
 */
export async function pumpStdin(
  connection: ExecConnection,
  source: AsyncIterable<Uint8Array>,
  mode: 'blocks' | 'raw',
  over: Promise<void>,
): Promise<Pumped> {
  let bytes = 0
  let running = true
  const stop = (): void => void (running = false)
  const stopped = Promise.race([over, connection.ended.then(stop, stop)]).then(stop)
  const send = async (parts: readonly Uint8Array[]): Promise<void> => await connection.write(...parts).catch(stop)
  try {
    for await (const block of inBlocks(source, stopped)) {
      const size = block.reduce((sum, part) => sum + part.length, 0)
      await send(mode === 'blocks' ? [Buffer.from(`${size}\n`), ...block] : block)
      if (!running) break
      bytes += size
    }
  } catch (error) {
    throw kubeError('KUBE_EXEC_INPUT', `the data for the command's stdin failed: ${messageOf(error)}`, { cause: error })
  }
  if (!running) return { bytes, ended: false }
  if (mode === 'blocks') await send([Buffer.from('end\n')])
  else await connection.closeStdin().catch(stop)
  return { bytes, ended: running }
}

/** Regroups a source into blocks of about 512 KiB. Stops without error when `stopped` resolves, even if the source hangs. */
export async function* inBlocks(source: AsyncIterable<Uint8Array>, stopped: Promise<void>): AsyncGenerator<Uint8Array[]> {
  const iterator = source[Symbol.asyncIterator]()
  const stop = stopped.then(() => 'stop' as const)
  let parts: Uint8Array[] = []
  let size = 0
  let pending: Promise<IteratorResult<Uint8Array>> | undefined
  try {
    for (;;) {
      pending ??= iterator.next()
      const next = await firstOf(pending, stop, size > 0)
      if (next === 'stop') return
      if (next !== 'idle') {
        pending = undefined
        if (next.done) break
        parts.push(next.value)
        size += next.value.length
        if (size < blockBytes) continue
      }
      yield* cut(parts, size)
      parts = []
      size = 0
    }
    yield* cut(parts, size)
  } finally {
    pending?.catch(() => undefined) // the source's late failure concerns nobody any more
    void iterator.return?.()?.then(undefined, () => undefined)
  }
}

async function firstOf<T>(pending: Promise<T>, stop: Promise<'stop'>, mayIdle: boolean): Promise<T | 'stop' | 'idle'> {
  if (!mayIdle) return await Promise.race([pending, stop])
  const timer = new AbortController()
  const idle = delay(lingerMs, 'idle' as const, { signal: timer.signal }).catch(() => 'idle' as const)
  try {
    return await Promise.race([pending, stop, idle])
  } finally {
    timer.abort()
  }
}

/** A source may hand out pieces larger than a block. */
function* cut(parts: Uint8Array[], size: number): Generator<Uint8Array[]> {
  if (size === 0) return
  if (size <= 2 * blockBytes) return yield parts
  for (const part of parts) {
    for (let at = 0; at < part.length; at += blockBytes) yield [part.subarray(at, at + blockBytes)]
  }
}
