import { type WriteStream, createWriteStream, fstatSync } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { Target } from '../../cli/kando/deps.ts'
import { isStream } from './source.ts'

/**
 * A file, or stdout for `-`. A file is written under a name of its own and takes its place when it is whole, so a broken pull never leaves
 * half of one, nor the tail of a longer older one. What is not a plain file (a pipe, a device) is written as it is.
 */
export async function openTarget(target: string): Promise<Target> {
  if (target === '-') return pipeTarget(openOutput(1))
  const existing = await stat(target).catch(() => undefined)
  if (existing && !existing.isFile()) return pipeTarget(await opened(createWriteStream(target)))
  const partial = `${target}.holdfast-partial`
  const stream = await opened(createWriteStream(partial, { mode: existing?.mode ?? 0o755, flush: true }))
  return {
    write: (chunk) => write(stream, chunk),
    commit: async () => {
      await end(stream)
      await rename(partial, target)
    },
    discard: async () => {
      stream.destroy()
      await rm(partial, { force: true })
    },
  }
}

/** Stdout or stderr of this process, for pieces of a stream that others may print beside. */
export function openOwnOutput(name: 'stdout' | 'stderr'): Pick<Target, 'write'> {
  const stream = openOutput(name === 'stdout' ? 1 : 2)
  return { write: (chunk) => write(stream, chunk) }
}

/** Resolves when everything given to the stream has left the process. */
export async function whenWritten(stream: Writable): Promise<void> {
  if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()))
}

/** Its end is given by `commit` alone: whoever reads a pull that failed sees the process fail. */
function pipeTarget(stream: Writable): Target {
  return {
    write: (chunk) => write(stream, chunk),
    commit: () => end(stream),
    discard: async () => void stream.destroy(),
  }
}

/** `process.stdout` of a pipe writes synchronously: a slow consumer would stop the whole process. */
function openOutput(fd: 1 | 2): Writable {
  if (isStream(fstatSync(fd))) return new Socket({ fd, readable: false, writable: true })
  return createWriteStream('', { fd, autoClose: false })
}

async function opened(stream: WriteStream): Promise<WriteStream> {
  await new Promise<void>((resolve, reject) => stream.once('open', () => resolve()).once('error', reject))
  return stream
}

async function write(stream: Writable, chunk: Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())))
}

async function end(stream: Writable): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject)
    stream.end(() => resolve())
  })
}
