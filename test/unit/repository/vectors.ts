import { createCipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { sha256 } from '../../../src/repository/format/ids.ts'

/** Tiny repositories made by restic 0.19, with every intermediate value; see test/golden/restic/README.md. */
export interface RepositoryVector {
  readonly files: Readonly<Record<string, string>>
  readonly scrypt: { readonly derived_hex: string }
  readonly key_plaintext: string
  readonly master: { readonly encrypt_hex: string; readonly k_hex: string; readonly r_hex: string }
  readonly config: { readonly nonce_hex: string; readonly tag_hex: string; readonly plaintext: string }
  readonly snapshots: Readonly<Record<string, string>>
  readonly indexes: Readonly<Record<string, string>>
  readonly packs: Readonly<
    Record<
      string,
      { readonly size: number; readonly header_plaintext_hex: string; readonly entries: ReadonlyArray<Record<string, unknown>> }
    >
  >
  readonly blobs: Readonly<
    Record<string, { readonly type: string; readonly plaintext_length: number; readonly plaintext_base64?: string }>
  >
}

export interface ChunkerVector {
  readonly polynomial: string
  readonly input: string
  readonly input_sha256: string
  readonly chunk_lengths: readonly number[]
  readonly chunk_ids: readonly string[]
}

export interface Vectors {
  readonly password: string
  readonly repos: Readonly<Record<'v1' | 'v2', RepositoryVector>>
  readonly chunker: readonly ChunkerVector[]
  readonly tables_266f26c4671791: Readonly<Record<string, string>>
}

export const vectors = JSON.parse(readFileSync(new URL('../../golden/restic/vectors.json', import.meta.url), 'utf8')) as Vectors

/** The inputs of the chunker vectors, by the words that describe them there. */
export function chunkerInput(words: string): Buffer {
  if (words.includes('keystream')) {
    const cipher = createCipheriv('aes-256-ctr', sha256(Buffer.from('restic-vector-1')), Buffer.alloc(16))
    return cipher.update(Buffer.alloc(16 << 20))
  }
  if (words.includes('zero')) return Buffer.alloc(3 << 20)
  const lines: string[] = []
  for (let i = 0, length = 0; length < 8 << 20; i++) {
    const line = `line ${i}\n`
    lines.push(line)
    length += line.length
  }
  return Buffer.from(lines.join(''))
}
