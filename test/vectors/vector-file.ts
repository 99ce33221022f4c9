import { readFileSync } from 'node:fs'
import { parseExactJson } from '../../src/template/go/from-json.ts'

/** A file of template vectors; see README.md beside this. */
export interface VectorFile {
  readonly contexts: Readonly<Record<string, VectorData>>
  readonly objects: Readonly<Record<string, unknown>>
  readonly vectors: readonly Vector[]
}

export interface VectorData {
  readonly data: unknown
  readonly types?: Readonly<Record<string, string>>
}

export interface Vector {
  readonly id: string
  readonly family: string
  readonly mode: 'string' | 'args' | 'artifacts' | 'objectRefs' | 'wait' | 'waitv2'
  readonly template?: string
  readonly args?: never
  readonly artifacts?: never
  readonly objectRefs?: never
  readonly context?: string
  readonly data?: unknown
  readonly types?: Readonly<Record<string, string>>
  readonly object?: string
  readonly expect: Expectation
}

export interface Expectation {
  readonly output?: string
  readonly outputBase64?: string
  readonly match?: string
  readonly value?: unknown
  readonly null?: true
  readonly result?: boolean
  readonly error?: { readonly class: string; readonly contains: string; readonly loose?: boolean }
}

/** Reads a file of vectors, numbers kept exactly as written. */
export function readVectorFile(path: string): VectorFile {
  // The README describes the shape; a file that has another shows as failing vectors.
  return parseExactJson(readFileSync(path, 'utf8')) as VectorFile
}
