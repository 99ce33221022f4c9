import { priorityLimit, serializeModes, type ActionSet } from '../api/actionset.ts'
import { fieldAnnotations, names } from '../api/names.ts'
import type { ObjectReference } from '../api/object-reference.ts'
import { parseGoDuration } from '../base/go-duration.ts'

/** What an ActionSet asks of the queue and of the time after its end, from its fields, their annotations and what it is. */
export interface QueueRequest {
  /** Higher goes first. */
  readonly priority: number
  readonly serialize: boolean
  readonly queueTimeoutMs?: number
  readonly ttlMs?: number
  /** What cannot be read, for people. Defaults stand in its place. */
  readonly findings: readonly string[]
}

/** Priorities of those that name none. */
export const defaultPriorities = { restore: 100, plain: 0, scheduled: -100 } as const

export function readQueueRequest({ metadata, spec }: Pick<ActionSet, 'metadata' | 'spec'>): QueueRequest {
  const findings: string[] = []
  const given = (field: 'priority' | 'serialize' | 'queueTimeout' | 'ttlAfterFinished'): string | number | undefined =>
    spec?.[field] ?? metadata.annotations?.[fieldAnnotations[field]]
  const duration = (field: 'queueTimeout' | 'ttlAfterFinished'): number | undefined => {
    const text = given(field)
    if (text === undefined) return undefined
    const ms = parseGoDuration(String(text))
    if (ms === undefined) findings.push(`${field} "${clip(text)}" is no duration; write it as 30m or 1h30m`)
    return ms
  }
  const priority = readPriority(given('priority'), findings)
  const serialize = readSerialize(given('serialize'), findings)
  const queueTimeoutMs = duration('queueTimeout')
  const ttlMs = duration('ttlAfterFinished')
  const scheduled = metadata.labels?.[names.schedule] !== undefined
  return {
    priority: priority ?? defaultPriority(spec, scheduled),
    serialize: serialize === undefined ? scheduled : serialize === 'Object',
    ...(queueTimeoutMs === undefined ? {} : { queueTimeoutMs }),
    ...(ttlMs === undefined ? {} : { ttlMs }),
    findings,
  }
}

/** `group/kind/namespace/name` of each object, in lower case where Kubernetes does not tell apart; each once, sorted. */
export function objectsOf(spec: ActionSet['spec']): string[] {
  const keys = (spec?.actions ?? []).flatMap(({ object }) => (object ? [objectKey(object)] : []))
  return [...new Set(keys)].sort()
}

function objectKey({ group, apiVersion, resource, kind, namespace, name }: ObjectReference): string {
  const from = group || (apiVersion?.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '')
  const what = (kind || singular(resource ?? '')).toLowerCase()
  // The groups of these are known, and Kanister's users leave them out.
  const group_ = what === 'deployment' || what === 'statefulset' ? 'apps' : from
  return [group_, what, namespace ?? '', name ?? ''].join('/')
}

function singular(resource: string): string {
  return resource.endsWith('s') ? resource.slice(0, -1) : resource
}

/** A restore is waited for by people; what a Schedule made is not. */
function defaultPriority(spec: ActionSet['spec'], scheduled: boolean): number {
  const isRestore = (spec?.actions ?? []).some(
    ({ name, artifacts }) => (name ?? '').toLowerCase().startsWith('restore') && Object.keys(artifacts ?? {}).length > 0,
  )
  if (isRestore) return defaultPriorities.restore
  return scheduled ? defaultPriorities.scheduled : defaultPriorities.plain
}

function readPriority(value: string | number | undefined, findings: string[]): number | undefined {
  if (value === undefined) return undefined
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  if (Number.isInteger(number) && Math.abs(number) <= priorityLimit) return number
  findings.push(`priority "${clip(value)}" is no whole number from -${priorityLimit} to ${priorityLimit}`)
  return undefined
}

function readSerialize(value: string | number | undefined, findings: string[]): string | undefined {
  if (value === undefined || serializeModes.some((mode) => mode === value)) return value as string | undefined
  findings.push(`serialize "${clip(value)}" is none of ${serializeModes.join(', ')}`)
  return undefined
}

function clip(value: string | number): string {
  return String(value).slice(0, 60)
}
