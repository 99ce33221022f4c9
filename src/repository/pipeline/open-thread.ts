import type { MessagePort } from 'node:worker_threads'
import { messageOf } from '../../base/errors.ts'
import { openBlob } from '../format/blob.ts'
import { createSealer, sealingKeyFromBytes } from '../format/seal.ts'
import { release } from '../format/zstd.ts'
import type { OpenReport, OpenRequest, OpenThreadStart } from './messages.ts'

/** The way back: checks tags, decrypts, decompresses and checks hashes. Damage is an answer, not an end of the thread. */
export function runOpenThread(port: MessagePort, start: OpenThreadStart): void {
  const sealer = createSealer(sealingKeyFromBytes(start.key))

  function answer({ sequence, bytes, blobs }: OpenRequest): OpenReport {
    try {
      const opened = blobs.map((blob) => openBlob(sealer, bytes.subarray(blob.offset, blob.offset + blob.length), blob))
      return { sequence, blobs: opened.map(ownBytes) }
    } catch (error) {
      return { sequence, damaged: messageOf(error) }
    } finally {
      release(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    }
  }

  port.on('message', (request: OpenRequest) => {
    const report = answer(request)
    const transfer = 'blobs' in report ? report.blobs.map((blob) => blob.buffer as ArrayBuffer) : []
    port.postMessage(report, [...new Set(transfer)])
  })
}

/** Small buffers share a pool that must stay here; large ones own their memory and go without a copy. */
function ownBytes(bytes: Buffer): Uint8Array {
  const owns = bytes.byteOffset === 0 && bytes.buffer.byteLength <= bytes.length + 4096
  return owns && bytes.length >= 65_536 ? new Uint8Array(bytes.buffer, 0, bytes.length) : new Uint8Array(bytes)
}
