import { bool, bytes, type GoMethod, int, int64, pointerTo, string, structType } from '../go/go-type.ts'
import { GoBytes, GoPointer, GoStruct, type GoValue, integer, integerIn, textIn } from '../go/value.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { satisfies } from './semver-constraint.ts'
import { compareVersions, formatVersion, parseVersion, type Version, VersionError } from './semver-version.ts'

const versionMethods: Record<string, GoMethod> = {
  Major: number('major'),
  Minor: number('minor'),
  Patch: number('patch'),
  Prerelease: textual((version) => version.prerelease),
  Metadata: textual((version) => version.metadata),
  Original: textual((version) => version.original),
  String: textual(formatVersion),
  MarshalJSON: {
    pointer: true,
    params: [],
    result: bytes,
    second: 'error',
    call: (version) => new GoBytes(Buffer.from(`"${formatVersion(versionIn(version))}"`)),
  },
}

/** Fields are not exported in Go: templates use the methods. */
const versionType = structType(
  'semver.Version',
  [
    { name: 'major', type: int64 },
    { name: 'minor', type: int64 },
    { name: 'patch', type: int64 },
    { name: 'pre', type: string },
    { name: 'metadata', type: string },
    { name: 'original', type: string },
  ],
  versionMethods,
)

const versionPointer = pointerTo(versionType)

// These take or give versions, so they can be made only now.
Object.assign(versionMethods, {
  Compare: comparing((order) => BigInt(Math.sign(order))),
  LessThan: comparing((order) => order < 0),
  GreaterThan: comparing((order) => order > 0),
  Equal: comparing((order) => order === 0),
  IncPatch: incrementing((version) => ({ ...version, patch: version.patch + (version.prerelease === '' ? 1n : 0n) })),
  IncMinor: incrementing((version) => ({ ...version, minor: version.minor + 1n, patch: 0n })),
  IncMajor: incrementing((version) => ({ ...version, major: version.major + 1n, minor: 0n, patch: 0n })),
} satisfies Record<string, GoMethod>)

export const semverFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'semver',
    summary: 'A version with its parts: `.Major`, `.Minor`, `.Patch`, `.Prerelease`, `.Metadata`, `.Original`.',
    example: ['{{ (semver "v1.2.3-beta").Minor }}', '2'],
    params: [string],
    result: versionPointer,
    call: (_host, text) => failing(() => new GoPointer(versionPointer, structOf(parseVersion(text)))),
  }),
  defineTemplateFunction({
    name: 'semverCompare',
    summary: 'Whether a version (second) fits a constraint (first): `>=1.2, <2`, `~1.2.3`, `^1.2`, `1.x`, `1.2 - 1.4 || 3`.',
    example: ['{{ semverCompare "^1.2.0" "1.4.1" }}', 'true'],
    params: [string, string],
    result: bool,
    call: (_host, constraint, version) => failing(() => satisfies(constraint, () => parseVersion(version))),
  }),
]

function failing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof VersionError) throw new FunctionError(error.message)
    throw error
  }
}

function structOf(version: Version): GoStruct {
  return new GoStruct(versionType, [
    integer(int64, version.major),
    integer(int64, version.minor),
    integer(int64, version.patch),
    version.prerelease,
    version.metadata,
    version.original,
  ])
}

function versionIn(value: GoValue): Version {
  const struct = value instanceof GoPointer ? value.target : value
  const [major = null, minor = null, patch = null, prerelease = '', metadata = '', original = ''] =
    struct instanceof GoStruct ? struct.values : []
  return {
    major: integerIn(major) ?? 0n,
    minor: integerIn(minor) ?? 0n,
    patch: integerIn(patch) ?? 0n,
    prerelease: textIn(prerelease) ?? '',
    metadata: textIn(metadata) ?? '',
    original: textIn(original) ?? '',
  }
}

function number(part: 'major' | 'minor' | 'patch'): GoMethod {
  return { pointer: true, params: [], result: int64, call: (version) => integer(int64, versionIn(version)[part]) }
}

function textual(read: (version: Version) => string): GoMethod {
  return { pointer: true, params: [], result: string, call: (version) => read(versionIn(version)) }
}

function comparing(give: (order: number) => GoValue): GoMethod {
  return {
    pointer: true,
    params: [versionPointer],
    result: typeof give(0) === 'boolean' ? bool : int,
    call: (version, [other = null]) => give(compareVersions(versionIn(version), versionIn(other))),
  }
}

/** The next version has neither prerelease nor metadata; a leading `v` stays in its original text. */
function incrementing(next: (version: Version) => Version): GoMethod {
  return {
    params: [],
    result: versionType,
    call: (value) => {
      const version = versionIn(value)
      const raised = { ...next(version), prerelease: '', metadata: '' }
      return structOf({ ...raised, original: (version.original.startsWith('v') ? 'v' : '') + formatVersion(raised) })
    },
  }
}
