import { messageOf } from '../../../base/errors.ts'
import type { ObjectReference } from '../../../api/object-reference.ts'
import { ownKinds } from '../../../kube/own-kinds.ts'
import { kinds } from '../../../kube/kinds.ts'
import type { Kube } from '../../../kube/kube.ts'
import { describeObject, resourceOfReference, type KubeObject, type ResourceDef } from '../../../kube/objects.ts'
import { cliError } from '../../errors.ts'
import type { Output } from '../../output.ts'
import type { NewActionSet } from './build.ts'

const workloads: Readonly<Record<string, ResourceDef<KubeObject>>> = {
  deployment: kinds.deployments,
  statefulset: kinds.statefulSets,
  deploymentconfig: kinds.deploymentConfigs,
  pvc: kinds.persistentVolumeClaims,
  namespace: kinds.namespaces,
}

interface Named {
  readonly kind: string
  readonly def: ResourceDef<KubeObject>
  readonly name: string
  readonly namespace: string | undefined
}

/** Checks that everything the ActionSet names exists; each miss is a line on `err`, then CLI_NOT_FOUND. */
export async function verifyReferences(
  kube: Kube,
  actionSet: NewActionSet,
  namespace: string,
  output: Output,
  signal: AbortSignal,
): Promise<void> {
  const missing = await Promise.all(namedIn(actionSet, namespace).map((named) => describeMiss(kube, named, signal)))
  const lines = missing.filter((line) => line !== undefined)
  for (const line of lines) output.err(`${line}\n`)
  if (lines.length > 0)
    throw cliError('CLI_NOT_FOUND', 'resource verification failed; --skip-validation creates the ActionSet all the same')
}

function namedIn(actionSet: NewActionSet, namespace: string): Named[] {
  const all = actionSet.spec.actions.flatMap((action) => [
    ...(action.blueprint ? [{ kind: 'blueprint', def: ownKinds.blueprints, name: action.blueprint, namespace }] : []),
    ...(action.profile ? [reference('profile', ownKinds.profiles, action.profile)] : []),
    ...Object.values(action.secrets ?? {}).map((secret) => reference('secret', kinds.secrets, secret)),
    ...Object.values(action.configMaps ?? {}).map((configMap) => reference('configmap', kinds.configMaps, configMap)),
    ...(action.object ? [target(action.object)] : []),
  ])
  return [...new Map(all.map((named) => [`${named.kind}/${named.namespace}/${named.name}`, named])).values()]
}

function reference(kind: string, def: ResourceDef<KubeObject>, ref: ObjectReference): Named {
  return { kind, def, name: ref.name ?? '', namespace: ref.namespace }
}

function target(ref: ObjectReference): Named {
  const kind = (ref.kind ?? '').toLowerCase()
  const def = workloads[kind] ?? (resourceOfReference(ref) as ResourceDef<KubeObject>)
  return {
    kind: kind || def.resource,
    def,
    name: ref.name ?? '',
    namespace: kind === 'namespace' ? undefined : ref.namespace || undefined,
  }
}

async function describeMiss(
  kube: Kube,
  { kind, def, name, namespace }: Named,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    await kube.resource(def).get({ namespace, name }, { signal })
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    // The API server says this of a whole collection when no CRD defines it.
    if (messageOf(error).includes('page not found')) {
      return `The cluster does not know ${describeObject(def)}: is Holdfast installed there (kubectl create -f deploy/install.yaml)?`
    }
    return `Please make sure '${kind}' with name '${name}' exists in namespace '${namespace ?? ''}': ${messageOf(error)}`
  }
}
