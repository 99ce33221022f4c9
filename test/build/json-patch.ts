import { isDeepStrictEqual } from 'node:util'
import { kubeError } from '../../src/kube/errors.ts'

export interface PatchOperation {
  readonly op: 'test' | 'add' | 'replace' | 'remove'
  readonly path: string
  readonly value?: unknown
}

/** RFC 6902 as far as the engine uses it; refusals as an API server gives them. */
export function applyJsonPatch(object: unknown, patch: readonly PatchOperation[]): unknown {
  const copy = structuredClone(object)
  for (const operation of patch) applyOne(copy, operation)
  return copy
}

/** RFC 7386. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return structuredClone(patch)
  const out: Record<string, unknown> = isMap(target) ? { ...structuredClone(target) } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = applyMergePatch(out[key], value)
  }
  return out
}

function applyOne(root: unknown, { op, path, value }: PatchOperation): void {
  const parts = path
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const last = parts.pop() ?? ''
  const parent = parts.reduce<unknown>(
    (at, part) => (isMap(at) || Array.isArray(at) ? (at as Record<string, unknown>)[part] : undefined),
    root,
  )
  if (!isMap(parent)) throw refused(op, path)
  if (op === 'test') {
    if (!isDeepStrictEqual(parent[last], value)) throw refused(op, path)
  } else if (op === 'remove') {
    if (!(last in parent)) throw refused(op, path)
    delete parent[last]
  } else {
    if (op === 'replace' && !(last in parent)) throw refused(op, path)
    parent[last] = structuredClone(value)
  }
}

function refused(op: string, path: string): Error {
  return kubeError('KUBE_INVALID', `the server rejected our request due to an error in our request (${op} ${path})`)
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
