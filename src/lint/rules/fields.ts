import { BlueprintBody } from '../../api/blueprint.ts'
import { names } from '../../api/names.ts'
import { policyFaults } from '../../api/phase-policy.ts'
import type { TSchema } from '../../schema/build.ts'
import { nearestNames } from '../../template/nearest.ts'
import { isMap } from '../blueprint-facts.ts'
import { didYouMean, type Draft, type Path, textOfPath } from '../finding.ts'

/** Fields that Blueprints don't have, and values of another type than the API server takes. */
export function checkFields(blueprint: unknown): readonly Draft[] {
  if (!isMap(blueprint)) return []
  const { apiVersion, kind: _kind, metadata, ...body } = blueprint
  const drafts: Draft[] = []
  const wanted = `${names.kanisterGroup}/${names.version}`
  if (apiVersion !== wanted) {
    drafts.push({ ...wrong(['apiVersion'], `apiVersion must be ${wanted}`), code: 'LINT_NOT_BLUEPRINT' })
  }
  if (!isMap(metadata) || typeof metadata['name'] !== 'string') drafts.push(wrong(['metadata'], 'metadata.name is missing'))
  checkValue(BlueprintBody, body, [], drafts, ['apiVersion', 'kind', 'metadata'])
  return [...drafts, ...checkActions(body['actions'])]
}

function checkActions(actions: unknown): readonly Draft[] {
  if (!isMap(actions) || Object.keys(actions).length === 0) {
    return [wrong(['actions'], 'there are no actions: a Blueprint is a map of them by name')]
  }
  return Object.entries(actions).flatMap(([name, action]) => {
    const path = ['actions', name]
    if (!isMap(action)) return [wrong(path, `action "${name}" is empty`)]
    const policies = checkPolicies(action, path)
    const phases = action['phases']
    if (Array.isArray(phases) && phases.length > 0) return policies
    return [...policies, { ...wrong(path, `action "${name}" has no phases: it does nothing`), severity: 'warning' as const }]
  })
}

/** Durations of an action and of its phases. */
function checkPolicies(action: Readonly<Record<string, unknown>>, path: Path): readonly Draft[] {
  const phases = Array.isArray(action['phases']) ? (action['phases'] as unknown[]) : []
  const owners: [unknown, Path][] = [
    [action, path],
    ...phases.map((phase, index): [unknown, Path] => [phase, [...path, 'phases', index]]),
    [action['deferPhase'], [...path, 'deferPhase']],
  ]
  return owners.flatMap(([owner, at]) =>
    isMap(owner) ? policyFaults(owner).map((fault) => wrong([...at, ...fault.path], fault.message)) : [],
  )
}

type Shape = TSchema & {
  readonly type?: string
  readonly enum?: readonly string[]
  readonly items?: TSchema
  readonly properties?: Readonly<Record<string, TSchema>>
  readonly patternProperties?: Readonly<Record<string, TSchema>>
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean
}

/** `null` is absent, as for the API server. */
function checkValue(schema: TSchema, value: unknown, path: Path, drafts: Draft[], alsoKnown: readonly string[] = []): void {
  const shape = schema as Shape
  if (value === null || value === undefined || shape['x-kubernetes-preserve-unknown-fields']) return
  if (shape.enum && !shape.enum.includes(value as string)) {
    drafts.push(wrong(path, `${textOfPath(path)} must be ${shape.enum.join(' or ')}`))
  } else if (!hasType(shape.type, value)) {
    drafts.push(wrong(path, `${textOfPath(path)} must be ${typeNames[shape.type ?? ''] ?? shape.type}${quoteIt(shape, value)}`))
  } else if (Array.isArray(value) && shape.items) {
    for (const [index, item] of value.entries()) checkValue(shape.items, item, [...path, index], drafts)
  } else if (isMap(value)) {
    checkMap(shape, value, path, drafts, alsoKnown)
  }
}

function checkMap(
  shape: Shape,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  drafts: Draft[],
  alsoKnown: readonly string[],
): void {
  const each = Object.values(shape.patternProperties ?? {})[0]
  for (const [name, item] of Object.entries(value)) {
    const known = shape.properties?.[name] ?? each
    if (known) checkValue(known, item, [...path, name], drafts)
    else if (shape.properties) drafts.push(unknownField(name, [...Object.keys(shape.properties), ...alsoKnown], path))
  }
}

function unknownField(name: string, known: readonly string[], path: Path): Draft {
  const holder = path.length === 0 ? 'a Blueprint' : textOfPath(path)
  if (name === 'true' && known.includes('on')) {
    const message = `${holder}: YAML, as kubectl reads it, takes the key on for true; write it in quotes, "on"`
    return { ...wrong([...path, name], message), spot: 'key' }
  }
  const near = nearestNames(name, known, 1)
  const offer = near.length > 0 ? didYouMean(near) : `; it has ${known.join(', ')}`
  return { ...wrong([...path, name], `${holder} has no field "${name}"${offer}`), spot: 'key' }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
}

function hasType(type: string | undefined, value: unknown): boolean {
  switch (type) {
    case 'string':
    case 'boolean':
      return typeof value === type
    case 'integer':
      return Number.isInteger(value)
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isMap(value)
    default:
      return true
  }
}

function quoteIt(shape: Shape, value: unknown): string {
  const isPlain = typeof value === 'number' || typeof value === 'boolean'
  return shape.type === 'string' && isPlain ? `: write it in quotes, "${String(value)}"` : ''
}

function wrong(path: Path, message: string): Draft {
  return { severity: 'error', code: 'LINT_FIELD', message, path }
}
