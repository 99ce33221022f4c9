import { type ActionSet, actionSetKind } from '../api/actionset.ts'
import { type Blueprint, blueprintKind } from '../api/blueprint.ts'
import type { Kind } from '../api/kind.ts'
import { type Profile, profileKind } from '../api/profile.ts'
import { type Run, runKind } from '../api/run.ts'
import { defineResource, type KubeObject, type ResourceDef } from './objects.ts'

function resourceOf<T extends KubeObject>(kind: Kind): ResourceDef<T> {
  return defineResource<T>({ group: kind.group, version: kind.version, resource: kind.plural, kind: kind.kind })
}

/** The collections of our own kinds. */
export const customKinds = {
  actionSets: resourceOf<ActionSet>(actionSetKind),
  blueprints: resourceOf<Blueprint>(blueprintKind),
  profiles: resourceOf<Profile>(profileKind),
  runs: resourceOf<Run>(runKind),
}
