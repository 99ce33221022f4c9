import type { BackupRecord } from '../catalog/record.ts'
import { artifactPath, findKeyPrefix } from '../functions/artifact-prefix.ts'
import { joinKey } from '../store/key.ts'
import type { RecoveryPlace } from './place.ts'

type Told = Pick<BackupRecord, 'artifacts' | 'phases'>

/** A value that a record holds, and where. */
export interface RecordValue {
  readonly phase?: string
  readonly artifact?: string
  readonly field: string
  readonly value: string
}

/** Of artifacts and of outputs of phases. */
export function valuesOf({ artifacts, phases }: Told): RecordValue[] {
  const ofArtifacts = Object.entries(artifacts).flatMap(([artifact, { keyValue = {} }]) =>
    Object.entries(keyValue).map(([field, value]) => ({ artifact, field, value })),
  )
  const ofPhases = phases.flatMap(({ name: phase, output = {} }) =>
    Object.entries(output).flatMap(([field, value]) => (typeof value === 'string' ? [{ phase, field, value }] : [])),
  )
  return [...ofArtifacts, ...ofPhases]
}

/** Everything that may be a path: below the prefix as kando and streams have it, also as `bucket/path` or `s3://bucket/path`, and as BackupData has it. */
export function pathsOf(place: RecoveryPlace, values: readonly RecordValue[]): Array<RecordValue & { readonly key: string }> {
  const plausible = values.filter(({ value }) => /^[^\s{}[\]"]{1,900}$/.test(value) && !/^[\d.]+$/.test(value))
  const seen = new Set<string>()
  return plausible.flatMap((value) =>
    keysNamedBy(place, value.value).flatMap((key) => {
      if (key === '' || key === place.prefix || seen.has(key)) return []
      seen.add(key)
      return [{ ...value, key }]
    }),
  )
}

function keysNamedBy({ bucket, prefix }: RecoveryPlace, text: string): string[] {
  if (text.split('/').includes('..')) return []
  const path = artifactPath(text, bucket)
  return [joinKey(prefix, text), findKeyPrefix(bucket, text) ?? '', joinKey(prefix, path), joinKey(path)]
}

/** Snapshots of volumes and of clouds are in no bucket. */
export function isElsewhere({ phases }: Pick<BackupRecord, 'phases'>): boolean {
  return phases.some(({ func = '' }) => func.includes('Snapshot'))
}
