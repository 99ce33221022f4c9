import { actionSetKind, type ActionSet } from '../api/actionset.ts'
import { blueprintKind, type Blueprint } from '../api/blueprint.ts'
import { catalogImportKind, type CatalogImport } from '../api/catalog-import.ts'
import type { Kind } from '../api/kind.ts'
import { profileKind, type Profile } from '../api/profile.ts'
import { runKind, type Run } from '../api/run.ts'
import { scheduleKind, type Schedule } from '../api/schedule.ts'
import { verificationKind, type Verification } from '../api/verification.ts'
import { defineResource, type KubeObject, type ResourceDef } from './objects.ts'

/** The collections of the kinds that we define. */
export const ownKinds = {
  actionSets: collection<ActionSet>(actionSetKind),
  blueprints: collection<Blueprint>(blueprintKind),
  profiles: collection<Profile>(profileKind),
  runs: collection<Run>(runKind),
  schedules: collection<Schedule>(scheduleKind),
  verifications: collection<Verification>(verificationKind),
  catalogImports: collection<CatalogImport>(catalogImportKind),
} as const

function collection<T extends KubeObject>(kind: Kind): ResourceDef<T> {
  return defineResource<T>({ group: kind.group, version: kind.version, resource: kind.plural, kind: kind.kind })
}
