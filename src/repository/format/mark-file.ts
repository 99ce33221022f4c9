import { repositoryError } from '../errors.ts'
import { type Nanos, parseTime, renderTime } from './go-time.ts'
import { type Id, isId } from './ids.ts'

/** Packs that no snapshot needed when the mark was made, and that a later sweep may remove (FORMAT.md 9). */
export interface MarkFile {
  readonly time: Nanos
  readonly packs: readonly Id[]
}

/** Who held a lock after a mark was there to be seen: they may not know of it, so nothing goes while one of them is at work. */
export interface HoldersFile {
  /** Id of the mark. */
  readonly of: Id
  readonly holders: readonly string[]
}

export function renderMark(file: MarkFile | HoldersFile): Buffer {
  const fields = 'packs' in file ? { time: renderTime(file.time), packs: file.packs } : file
  return Buffer.from(JSON.stringify({ version: 1, ...fields }))
}

export function parseMark(json: Uint8Array, what: string): MarkFile | HoldersFile {
  // Every field is checked below.
  const { version, time, packs, of, holders } = readObject(json, what)
  if (version !== 1)
    throw repositoryError('REPOSITORY_UNSUPPORTED', `${what}: version ${String(version)} of marks is not known`)
  const when = typeof time === 'string' ? parseTime(time) : undefined
  if (when !== undefined && isTexts(packs) && packs.every(isId)) return { time: when, packs }
  if (typeof of === 'string' && isId(of) && isTexts(holders)) return { of, holders }
  throw repositoryError('REPOSITORY_DAMAGED', `${what}: a field of the mark is malformed`)
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function readObject(json: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString())
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Reported below with the name of the file.
  }
  throw repositoryError('REPOSITORY_DAMAGED', `${what}: not the JSON of a mark`)
}
