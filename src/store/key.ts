import { posix } from 'node:path'
import { storeError } from './errors.ts'

/** Longest key in UTF-8 bytes that S3, GCS and Azure all take. */
const maxKeyBytes = 1024

/** Throws STORE_BAD_KEY unless every kind of store can hold the key under exactly this name. */
export function checkKey(key: string): void {
  const why = faultOf(key)
  if (why !== undefined) throw storeError('STORE_BAD_KEY', `object key ${JSON.stringify(key)} ${why}`)
}

function faultOf(key: string): string | undefined {
  if (key === '') return 'is empty: give a path below the bucket'
  if (key.startsWith('/')) return 'starts with "/": leave the slash out'
  if (Buffer.byteLength(key) > maxKeyBytes) return `is longer than ${maxKeyBytes} bytes: choose a shorter path`
  if (key.includes('\0') || !key.isWellFormed()) return 'is not text that a store can hold'
  // URLs drop such segments on the way, so the object would land elsewhere.
  if (key.split('/').some((segment) => segment === '.' || segment === '..'))
    return 'has a "." or ".." segment: write the path out'
  return undefined
}

/**
 * The key of a path below a location's prefix, as Kanister joins and cleans it: `p/` and `a//b/../c` give `p/a/c`. Slashes at both
 * ends are cut, and `..` never leads above the bucket. Empty when both are.
 */
export function joinKey(...parts: string[]): string {
  const clean = posix.normalize(`/${parts.filter((part) => part !== '').join('/')}`)
  return clean.replace(/^\/+|\/+$/g, '')
}
