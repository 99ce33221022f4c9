import { read } from 'node:fs'
import type { FillingSource } from './backup-stream.ts'

/**
 * An open file of this machine, from where it stands. Only for regular files: a read of a pipe would hold a thread of Node's pool until something
 * comes, also after an abort.
 */
export function fileSource(file: number): FillingSource {
  return { readInto: (room) => readFrom(file, room) }
}

/** From where the last read ended. */
export function readFrom(file: number, room: Uint8Array): Promise<number> {
  return new Promise((resolve, reject) => {
    read(file, room, 0, room.length, null, (error, bytesRead) => (error ? reject(error) : resolve(bytesRead)))
  })
}
