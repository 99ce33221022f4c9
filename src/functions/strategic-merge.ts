import { functionError } from './errors.ts'

/**
 * Strategic merge patch of a PodSpec, as the API server does it: lists of named things are merged by their key, other lists are
 * replaced, `null` removes, `$patch: delete` and `$patch: replace` are obeyed. Pure; neither input is changed.
 */
export type Json = null | boolean | number | string | readonly Json[] | JsonMap
export type JsonMap = { readonly [key: string]: Json }

/** Which key tells the elements of a list apart; a list that is not named here is replaced as a whole. */
interface PatchSchema {
  readonly lists?: Readonly<Record<string, { readonly key: string; readonly item?: PatchSchema }>>
}

const containerSchema: PatchSchema = {
  lists: {
    env: { key: 'name' },
    ports: { key: 'containerPort' },
    volumeMounts: { key: 'mountPath' },
    volumeDevices: { key: 'devicePath' },
  },
}

/** The patch keys that Kubernetes 1.34 declares on PodSpec. `tolerations`, `envFrom` and all others have none. */
const podSpecSchema: PatchSchema = {
  lists: {
    containers: { key: 'name', item: containerSchema },
    initContainers: { key: 'name', item: containerSchema },
    ephemeralContainers: { key: 'name', item: containerSchema },
    volumes: { key: 'name' },
    imagePullSecrets: { key: 'name' },
    hostAliases: { key: 'ip' },
    topologySpreadConstraints: { key: 'topologyKey' },
    schedulingGates: { key: 'name' },
    resourceClaims: { key: 'name' },
  },
}

/** Throws FUNCTION_BAD_OVERRIDE for a patch that the API server would refuse as one. */
export function mergePodSpec(base: JsonMap, patch: JsonMap): JsonMap {
  return mergeMap(base, patch, podSpecSchema, '')
}

function mergeMap(base: JsonMap, patch: JsonMap, schema: PatchSchema, at: string): JsonMap {
  const directive = patch.$patch
  if (directive === 'replace') return clean(patch) as JsonMap
  if (directive === 'delete') return {}
  if (directive !== undefined) throw badDirective(directive, at)
  const out: Record<string, Json> = retained(base, patch, at)
  for (const [key, value] of Object.entries(patch)) {
    if (key === '$retainKeys' || key.startsWith('$setElementOrder/')) continue
    if (value === null) delete out[key]
    else out[key] = mergeValue(out[key], value, schema, key, join(at, key))
  }
  return out
}

/** `$retainKeys`, by which a client switches the source of a volume: what the list does not name is dropped. */
function retained(base: JsonMap, patch: JsonMap, at: string): Record<string, Json> {
  const keep = patch.$retainKeys
  if (keep === undefined) return { ...base }
  const stray = Object.keys(patch).find((key) => !key.startsWith('$') && !(Array.isArray(keep) && keep.includes(key)))
  if (!Array.isArray(keep) || stray !== undefined) {
    throw functionError(
      'FUNCTION_BAD_OVERRIDE',
      `podOverride${where(at)}: $retainKeys must be a list that names each key given beside it`,
    )
  }
  return Object.fromEntries(Object.entries(base).filter(([key]) => keep.includes(key)))
}

function mergeValue(base: Json | undefined, value: Json, schema: PatchSchema, key: string, at: string): Json {
  if (isMap(base) && isMap(value)) return mergeMap(base, value, {}, at)
  const list = schema.lists?.[key]
  if (list && isList(value)) return mergeList(isList(base) ? base : [], value, list.key, list.item ?? {}, at)
  return clean(value)
}

function mergeList(base: readonly Json[], patch: readonly Json[], key: string, schema: PatchSchema, at: string): Json[] {
  const items = patch.map((item) => asMap(item, at))
  const deleted = items.filter((item) => item.$patch === 'delete').map((item) => keyOf(item, key, at))
  const plain = items.filter((item) => item.$patch === undefined)
  const strange = items.find((item) => item.$patch !== undefined && item.$patch !== 'delete' && item.$patch !== 'replace')
  if (strange) throw badDirective(strange.$patch, at)
  if (items.some((item) => item.$patch === 'replace')) return plain.map((item) => clean(item))
  const live = base.map((item) => asMap(item, at)).filter((item) => !deleted.includes(keyOf(item, key, at)))
  const wanted = new Map<Json, JsonMap>()
  for (const item of plain) {
    const id = keyOf(item, key, at)
    const before = wanted.get(id) ?? live.find((candidate) => candidate[key] === id) ?? {}
    wanted.set(id, mergeMap(before, item, schema, `${at}[${JSON.stringify(id)}]`))
  }
  return interleave(live, [...wanted.values()], key)
}

/**
 * The order of a merged list: items of the patch keep theirs, untouched ones keep theirs; where both orders leave a choice, an
 * untouched item comes before a patched one only if it stood before it.
 */
function interleave(live: readonly JsonMap[], patched: readonly JsonMap[], key: string): JsonMap[] {
  const position = new Map(live.map((item, index) => [item[key], index]))
  const untouched = live.filter((item) => !patched.some((other) => other[key] === item[key]))
  const out: JsonMap[] = []
  let next = 0
  for (const item of patched) {
    const here = position.get(item[key] ?? null)
    while (here !== undefined && next < untouched.length && (position.get(untouched[next]?.[key] ?? null) ?? 0) < here) {
      out.push(untouched[next++] as JsonMap)
    }
    out.push(item)
  }
  return [...out, ...untouched.slice(next)]
}

/** A value that is new in the result carries no directives and no nulls. */
function clean(value: Json): Json {
  if (isList(value)) return value.filter((item) => !isMap(item) || item.$patch === undefined).map((item) => clean(item))
  if (!isMap(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, inner]) => inner !== null && !key.startsWith('$'))
      .map(([key, inner]) => [key, clean(inner)]),
  )
}

function keyOf(item: JsonMap, key: string, at: string): Json {
  const value = item[key]
  if (value !== undefined && value !== null) return value
  throw functionError(
    'FUNCTION_BAD_OVERRIDE',
    `podOverride${where(at)}: an element does not contain declared merge key: ${key}`,
  )
}

function asMap(item: Json, at: string): JsonMap {
  if (isMap(item)) return item
  throw functionError('FUNCTION_BAD_OVERRIDE', `podOverride${where(at)}: each element must be a map`)
}

function badDirective(directive: Json | undefined, at: string): Error {
  const text = typeof directive === 'string' ? directive : typeof directive
  return functionError('FUNCTION_BAD_OVERRIDE', `podOverride${where(at)}: $patch must be delete or replace, got ${text}`)
}

function where(at: string): string {
  return at === '' ? '' : `.${at}`
}

function join(at: string, key: string): string {
  return at === '' ? key : `${at}.${key}`
}

function isMap(value: Json | undefined): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value)
}
