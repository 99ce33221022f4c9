import { compareVersions, parseVersion, type Version, VersionError } from './semver-version.ts'

const versionForm = 'v?([0-9|xX*]+)(\\.[0-9|xX*]+)?(\\.[0-9|xX*]+)?'
const suffixForm = '(-(?:[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?(\\+(?:[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?'
const constraintPattern = new RegExp(
  `^[\\t\\n\\f\\r ]*(=>|>=|=<|<=|!=|~>|=|>|<|~|\\^|)[\\t\\n\\f\\r ]*(${versionForm}${suffixForm})[\\t\\n\\f\\r ]*$`,
)
const rangePattern = new RegExp(
  `[\\t\\n\\f\\r ]*(${versionForm}${suffixForm})[\\t\\n\\f\\r ]+-[\\t\\n\\f\\r ]+(${versionForm}${suffixForm})[\\t\\n\\f\\r ]*`,
  'g',
)

/** One comparison of a constraint: `>= 1.2`, `~1.2.3`, `^2`, `1.x`. */
interface Comparison {
  readonly operator: string
  readonly version: Version
  /** Something was left open: `x`, `*` or a missing minor number. */
  readonly open: boolean
  readonly openMinor: boolean
  readonly openPatch: boolean
}

/**
 * Whether a version fits a constraint: comparisons joined by `,` (and) and `||` (or), and ranges `1.2 - 1.4`. Throws
 * VersionError with Go's text.
 */
export function satisfies(constraint: string, version: () => Version): boolean {
  const choices = withoutRanges(constraint)
    .split('||')
    .map((choice) => choice.split(',').map(parseComparison))
  const given = version()
  return choices.some((comparisons) => comparisons.every((comparison) => holds(comparison, given)))
}

function withoutRanges(constraint: string): string {
  return constraint.replace(rangePattern, (...found: string[]) => `>= ${found[1]}, <= ${found[7]}`)
}

function parseComparison(text: string): Comparison {
  const match = constraintPattern.exec(text)
  if (!match) throw new VersionError(`improper constraint: ${text}`)
  const [, operator = '', written = '', major = '', minor = '', patch = '', prerelease = ''] = match
  const openMajor = isOpen(major)
  const openMinor = !openMajor && (minor === '' || isOpen(minor.slice(1)))
  const openPatch = !openMajor && !openMinor && isOpen(patch.slice(1))
  const closed = openMajor
    ? '0.0.0'
    : openMinor
      ? `${major}.0.0${prerelease}`
      : openPatch
        ? `${major}${minor}.0${prerelease}`
        : written
  return { operator, version: closedVersion(closed), open: openMajor || openMinor || openPatch, openMinor, openPatch }
}

function closedVersion(text: string): Version {
  try {
    return parseVersion(text)
  } catch (error) {
    if (error instanceof VersionError) throw new VersionError('constraint Parser Error')
    throw error
  }
}

function isOpen(part: string): boolean {
  return part === 'x' || part === 'X' || part === '*'
}

function holds(comparison: Comparison, given: Version): boolean {
  const { operator, version, open } = comparison
  const order = compareVersions(given, version)
  if (operator === '!=' && !open) return order !== 0
  // A prerelease fits only where the constraint names one.
  if (given.prerelease !== '' && version.prerelease === '') return false
  switch (operator) {
    case '!=':
      return given.major !== version.major || (given.minor !== version.minor && !comparison.openMinor)
    case '>':
      return order > 0
    case '>=':
    case '=>':
      return order >= 0
    case '<':
      return open ? isBelow(comparison, given) : order < 0
    case '<=':
    case '=<':
      return open ? isBelow(comparison, given) : order <= 0
    case '^':
      return order >= 0 && given.major === version.major
    case '~':
    case '~>':
      return isNear(comparison, given, order)
    default:
      return open ? isNear(comparison, given, order) : order === 0
  }
}

/** `<1.x` lets all of major version 1 through: the numbers left open are not compared, nor is the patch number. */
function isBelow({ version, openMinor }: Comparison, given: Version): boolean {
  return given.major <= version.major && (given.minor <= version.minor || openMinor)
}

function isNear({ version, openMinor, openPatch }: Comparison, given: Version, order: number): boolean {
  if (order < 0) return false
  const isZero = version.major === 0n && version.minor === 0n && version.patch === 0n
  if (isZero && !openMinor && !openPatch) return true
  return given.major === version.major && (given.minor === version.minor || openMinor)
}
