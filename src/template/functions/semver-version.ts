import { compareBytes } from '../go/byte-string.ts'
import { parseInt64 } from './to-number.ts'

/** A version as Masterminds/semver 1.5 reads it: a leading `v` and missing numbers are allowed. */
export interface Version {
  readonly major: bigint
  readonly minor: bigint
  readonly patch: bigint
  /** What stands behind `-`, without it. */
  readonly prerelease: string
  /** What stands behind `+`, without it. */
  readonly metadata: string
  readonly original: string
}

/** Text that is no version or constraint, with Go's reason. */
export class VersionError extends Error {}

const versionPattern =
  /^v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/

export function parseVersion(text: string): Version {
  const match = versionPattern.exec(text)
  if (!match) throw new VersionError('Invalid Semantic Version')
  return {
    major: segment(match[1]),
    minor: segment(match[2]),
    patch: segment(match[3]),
    prerelease: match[4] ?? '',
    metadata: match[5] ?? '',
    original: text,
  }
}

/** Without a leading `v`, with all three numbers. */
export function formatVersion(version: Version): string {
  const prerelease = version.prerelease === '' ? '' : `-${version.prerelease}`
  const metadata = version.metadata === '' ? '' : `+${version.metadata}`
  return `${version.major}.${version.minor}.${version.patch}${prerelease}${metadata}`
}

/** Negative when `a` is the older one. A prerelease is older than its release; metadata does not count. */
export function compareVersions(a: Version, b: Version): number {
  for (const part of ['major', 'minor', 'patch'] as const) if (a[part] !== b[part]) return a[part] < b[part] ? -1 : 1
  if (a.prerelease === b.prerelease) return 0
  if (a.prerelease === '') return 1
  if (b.prerelease === '') return -1
  return comparePrereleases(a.prerelease.split('.'), b.prerelease.split('.'))
}

function segment(digits: string | undefined): bigint {
  const plain = (digits ?? '0').replace('.', '')
  const value = parseInt64(plain, 10)
  if (value === undefined) {
    throw new VersionError(`Error parsing version segment: strconv.ParseInt: parsing "${plain}": value out of range`)
  }
  return value
}

function comparePrereleases(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const order = comparePart(a[at] ?? '', b[at] ?? '')
    if (order !== 0) return order
  }
  return 0
}

/** Fewer parts come first, then numbers by size, then words by their bytes. */
function comparePart(a: string, b: string): number {
  if (a === b) return 0
  if (a === '' || b === '') return a === '' ? -1 : 1
  const [numberA, numberB] = [asNumber(a), asNumber(b)]
  if (numberA === undefined && numberB === undefined) return compareBytes(a, b)
  if (numberB === undefined) return -1
  if (numberA === undefined) return 1
  return numberA > numberB ? 1 : -1
}

/** An unsigned 64 bit number. */
function asNumber(text: string): bigint | undefined {
  if (!/^\d+$/.test(text)) return undefined
  const value = BigInt(text)
  return value < 1n << 64n ? value : undefined
}
