import { type Stats, createReadStream, fstatSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { releaseChunk } from '../../base/release-chunk.ts'
import { cliError } from '../../cli/errors.ts'

/** Bytes of a file, or of stdin for `-`, read as fast as they are taken. Each chunk's memory is given back when the next is asked for. */
export async function openSource(source: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  if (source === '-') return chunksOf(openStdin(signal))
  const file = createReadStream(source, { highWaterMark: 1 << 20, signal })
  // What cannot be opened is said before anything is sent.
  await new Promise<void>((resolve, reject) => file.once('open', () => resolve()).once('error', reject))
  return chunksOf(file)
}

function openStdin(signal: AbortSignal): Readable {
  const stats = fstatSync(0)
  // A terminal or /dev/null means that somebody forgot the pipe; an empty object would look like a backup.
  if (!isStream(stats) && !stats.isFile()) {
    throw cliError('CLI_USAGE', 'Stdin must be piped when the source parameter is "-"')
  }
  if (stats.isFile()) return createReadStream('', { fd: 0, autoClose: false, highWaterMark: 1 << 20, signal })
  return new Socket({ fd: 0, readable: true, writable: false, signal })
}

export function isStream(stats: Stats): boolean {
  return stats.isFIFO() || stats.isSocket()
}

async function* chunksOf(stream: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    yield chunk
    releaseChunk(chunk)
  }
}
