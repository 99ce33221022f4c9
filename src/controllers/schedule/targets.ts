import { kindOrResource, type ObjectReference } from '../../api/object-reference.ts'
import type { LabelRequirement, ProtectedKind, Schedule, ScheduleSelector } from '../../api/schedule.ts'
import { names } from '../../api/names.ts'

/** An object of the cluster as far as Schedules ask. */
export interface Candidate {
  readonly kind: ProtectedKind
  /** Empty for a Namespace. */
  readonly namespace: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Blueprint that its owner wants, from the annotation. */
  readonly blueprint?: string
  /** Of workloads: replicas that are asked for. */
  readonly replicas?: number
}

/** An object under a Schedule. */
export interface Target {
  /** `namespace/kind/name`, kind in lower case: the key in status, the seed of its delay, part of the names of its ActionSets. */
  readonly key: string
  readonly object: ObjectReference
  readonly blueprint?: string
  readonly replicas?: number
}

/**
 * The objects under a Schedule, each once, in order of key: those it names, those its selector finds, and those whose owners chose it
 * by label. Only Schedules of the engine's own namespace can be chosen, or a tenant could make one that takes the objects of others.
 */
export function targetsOf(schedule: Schedule, all: readonly Candidate[], engineNamespace: string): Target[] {
  // What a test restore made goes again with its namespace.
  const candidates = all.filter(({ labels }) => labels[names.verification] === undefined)
  const { objects = [], selector } = schedule.spec
  const isChosen = schedule.metadata.namespace === engineNamespace ? chosenBy(schedule, candidates) : () => false
  const named = new Set(objects.map(keyOfReference))
  const found = new Map<string, Target>()
  for (const candidate of candidates) {
    const key = keyOfCandidate(candidate)
    if (named.has(key) || (selector && isSelected(selector, candidate)) || isChosen(candidate))
      found.set(key, targetOf(key, candidate))
  }
  // Kinds that are not watched, and objects that are not there: their runs fail and say why.
  for (const object of objects) {
    const key = keyOfReference(object)
    if (!found.has(key)) found.set(key, { key, object })
  }
  return [...found.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** Kinds that have to be watched for this Schedule. */
export function kindsOf({ spec }: Schedule): ReadonlySet<ProtectedKind> {
  const named = (spec.objects ?? []).flatMap((object) => {
    const kind = (object.kind ?? '').toLowerCase()
    return (['StatefulSet', 'Deployment'] as const).filter((known) => known.toLowerCase() === kind)
  })
  const classed = spec.class ? (['StatefulSet', 'Deployment', 'PersistentVolumeClaim', 'Namespace'] as const) : []
  return new Set([...named, ...(spec.selector?.kinds ?? []), ...classed])
}

function keyOfReference(reference: ObjectReference): string {
  const { namespace = '', name = '' } = reference
  return keyOf(kindOrResource(reference), namespace, name)
}

function keyOfCandidate({ kind, namespace, name }: Candidate): string {
  return keyOf(kind, namespace || name, name)
}

/** Kanister calls a PersistentVolumeClaim `pvc`. */
function keyOf(kind: string, namespace: string, name: string): string {
  const word = kind.toLowerCase()
  return `${namespace || name}/${word === 'persistentvolumeclaim' ? 'pvc' : word}/${name}`
}

function targetOf(key: string, { namespace, name, blueprint, replicas }: Candidate): Target {
  return {
    key,
    object: { kind: key.split('/')[1] ?? '', name, namespace: namespace || name },
    ...(blueprint === undefined ? {} : { blueprint }),
    ...(replicas === undefined ? {} : { replicas }),
  }
}

/** Whose label names this Schedule, or whose namespace's does. */
function chosenBy({ metadata, spec }: Schedule, candidates: readonly Candidate[]): (candidate: Candidate) => boolean {
  if (!spec.class) return () => false
  const isThis = (wanted: string | undefined): boolean =>
    wanted === metadata.name || (wanted === 'default' && spec.class?.default === true)
  const namespaces = candidates.filter(({ kind, labels }) => kind === 'Namespace' && isThis(labels[names.policy]))
  const chosen = new Set(namespaces.map(({ name }) => name))
  const kinds = spec.class.namespaceKinds ?? ['StatefulSet']
  return ({ kind, namespace, name, labels }) => {
    const own = kind === 'Namespace' ? undefined : labels[names.policy]
    return own === undefined ? chosen.has(namespace || name) && kinds.includes(kind) : isThis(own)
  }
}

function isSelected(selector: ScheduleSelector, { kind, namespace, name, labels }: Candidate): boolean {
  const { kinds, namespaces, matchLabels = {}, matchExpressions = [] } = selector
  return (
    kinds.includes(kind) &&
    (namespaces === undefined || namespaces.includes(namespace || name)) &&
    Object.entries(matchLabels).every(([label, value]) => labels[label] === value) &&
    matchExpressions.every((requirement) => meets(labels[requirement.key], requirement))
  )
}

/** As the API server compares labels: an absent one is not in any list. */
function meets(value: string | undefined, { operator, values = [] }: LabelRequirement): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}
