import type { Verdict } from './verdict.ts'

/** What the API server asks, of AdmissionReview in admission.k8s.io/v1; what we do not read is left out. */
export interface AdmissionRequest {
  readonly uid: string
  readonly operation: string
  /** A subresource has checks of its own. */
  readonly subResource?: string
  readonly namespace?: string
  readonly name?: string
  /** Absent when an object is deleted. */
  readonly object?: unknown
  /** As it is stored; with UPDATE and DELETE only. */
  readonly oldObject?: unknown
}

const apiVersion = 'admission.k8s.io/v1'

/** Undefined when this is no AdmissionReview that we can answer. */
export function readReview(body: string): AdmissionRequest | undefined {
  const review = parse(body)
  const request = isMap(review) && review['apiVersion'] === apiVersion ? review['request'] : undefined
  if (!isMap(request) || typeof request['uid'] !== 'string' || typeof request['operation'] !== 'string') return undefined
  const { uid, operation } = request
  return {
    uid,
    operation,
    ...textOf('subResource', request),
    ...textOf('namespace', request),
    ...textOf('name', request),
    ...(isMap(request['object']) ? { object: request['object'] } : {}),
    ...(isMap(request['oldObject']) ? { oldObject: request['oldObject'] } : {}),
  }
}

/** The answer. A refusal is 403, as that of Kanister's webhook; kubectl prints the message. */
export function renderReview(uid: string, verdict: Verdict): string {
  const status = verdict.refusal === undefined ? {} : { status: { code: 403, reason: 'Forbidden', message: verdict.refusal } }
  const warnings = verdict.warnings.length > 0 ? { warnings: verdict.warnings } : {}
  const response = { uid, allowed: verdict.refusal === undefined, ...status, ...warnings }
  return JSON.stringify({ apiVersion, kind: 'AdmissionReview', response })
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown
  } catch {
    return undefined // The caller answers 400.
  }
}

function textOf<Field extends string>(
  field: Field,
  from: Readonly<Record<string, unknown>>,
): { readonly [Name in Field]?: string } {
  const value = from[field]
  // A computed key has the type of any text; it is `field`.
  return (typeof value === 'string' && value !== '' ? { [field]: value } : {}) as { readonly [Name in Field]?: string }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
