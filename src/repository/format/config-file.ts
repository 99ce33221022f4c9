import { randomBytes } from 'node:crypto'
import { goJson } from '../../base/go-json.ts'
import { repositoryError } from '../errors.ts'
import { type Id, isId } from './ids.ts'
import { type Polynomial, chunkerDegree, degree, isIrreducible, randomPolynomial } from './polynomial.ts'

/** The file `config`: sealed JSON, never compressed, written last when a repository is made. */
export interface RepositoryConfig {
  readonly version: 1 | 2
  readonly id: Id
  readonly polynomial: Polynomial
}

export function createConfig(polynomial: Polynomial = randomPolynomial()): RepositoryConfig {
  return { version: 2, id: randomBytes(32).toString('hex'), polynomial }
}

export function renderConfig({ version, id, polynomial }: RepositoryConfig): Buffer {
  return Buffer.from(goJson({ version, id, chunker_polynomial: polynomial.toString(16) }))
}

export function parseConfig(json: Uint8Array): RepositoryConfig {
  const { version, id, chunker_polynomial: hex } = readObject(json)
  if (version !== 1 && version !== 2) {
    throw repositoryError(
      'REPOSITORY_UNSUPPORTED',
      `config: repository version ${String(version)} is not known; known are 1 and 2`,
    )
  }
  if (typeof id !== 'string' || !isId(id)) throw repositoryError('REPOSITORY_DAMAGED', 'config: its id is not 64 hex digits')
  if (typeof hex !== 'string' || !/^[0-9a-f]{1,16}$/.test(hex)) {
    throw repositoryError('REPOSITORY_DAMAGED', 'config: its chunker polynomial is not a hex number')
  }
  const polynomial = BigInt(`0x${hex}`)
  if (degree(polynomial) !== chunkerDegree || !isIrreducible(polynomial)) {
    throw repositoryError(
      'REPOSITORY_DAMAGED',
      `config: its chunker polynomial ${hex} is not irreducible of degree ${chunkerDegree}`,
    )
  }
  return { version, id, polynomial }
}

function readObject(json: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(json).toString())
    if (typeof value === 'object' && value !== null) return { ...value }
  } catch {
    // Falls through: text that passed its tag and is no JSON is damage like any other shape that is wrong.
  }
  throw repositoryError('REPOSITORY_DAMAGED', 'config: not a JSON object')
}
