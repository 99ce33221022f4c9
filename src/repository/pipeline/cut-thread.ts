import { createHash } from 'node:crypto'
import type { MessagePort } from 'node:worker_threads'
import { idBytes, sha256 } from '../format/ids.ts'
import { Cutter, instantiateChunker } from '../kernel/chunker.ts'
import type { CutReport, CutRequest, CutThreadStart } from './messages.ts'

/**
 * Finds the cuts of one stream after the other, and its SHA-256 while the bytes are in the cache (together 800 MB/s). A thread of its own, so that the
 * main thread keeps its time for the network. Where the sealing threads are behind it hashes the chunks too: on two cores one
 * sealing thread then has half of the work and not two thirds.
 */
export function runCutThread(port: MessagePort, { module, memory }: CutThreadStart): void {
  const bytes = new Uint8Array(memory.buffer)
  const scan = instantiateChunker(module, memory)
  let stream = beginAt(0, false)

  function beginAt(
    at: number,
    hash: boolean,
  ): { cutter: Cutter; hash: ReturnType<typeof createHash> | undefined; start: number; end: number } {
    return { cutter: new Cutter(scan, at), hash: hash ? createHash('sha256') : undefined, start: at, end: at }
  }

  function cut(last: boolean, help: boolean): Pick<CutReport, 'lengths' | 'ids'> {
    const lengths = stream.cutter.cut(stream.end, last)
    const ids = help && lengths.length > 0 ? new Uint8Array(lengths.length * idBytes) : undefined
    for (const [at, length] of lengths.entries()) {
      ids?.set(sha256(bytes.subarray(stream.start, stream.start + length)), at * idBytes)
      stream.start += length
    }
    return ids ? { lengths, ids } : { lengths }
  }

  function answer(request: CutRequest): CutReport {
    switch (request.kind) {
      case 'begin':
        stream = beginAt(request.at, request.hash)
        return { lengths: [], ended: false }
      case 'moved':
        stream.cutter.moved(request.delta)
        stream.start += request.delta
        stream.end += request.delta
        return { lengths: [], ended: false }
      case 'filled':
        stream.hash?.update(bytes.subarray(stream.end, request.to))
        stream.end = request.to
        return { ...cut(false, request.help), ended: false }
      case 'end':
        return { ...cut(true, false), ended: true, ...(stream.hash && { sha256: stream.hash.digest('hex') }) }
    }
  }

  port.on('message', (request: CutRequest) => port.postMessage(answer(request)))
}
