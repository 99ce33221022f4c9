import type { TObject } from '../schema/build.ts'

/** A column of `kubectl get`. */
export interface PrinterColumn {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly format?: string
  readonly jsonPath: string
  readonly description?: string
  /** Above 0: shown with `-o wide` only. */
  readonly priority?: number
}

/** One of our kinds: the type, the CRD, the checks and the REST path are all made from this value. */
export interface Kind<Schema extends TObject = TObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly description: string
  /** Everything beside apiVersion, kind and metadata. */
  readonly schema: Schema
  readonly columns: readonly PrinterColumn[]
}

export function defineKind<const Schema extends TObject>(kind: Kind<Schema>): Kind<Schema> {
  return kind
}

/** The part of ObjectMeta that we read or write. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly generateName?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

/** `metadata` of an object that came from the API server. */
export interface StoredMeta extends ObjectMeta {
  readonly namespace: string
  readonly uid: string
  readonly resourceVersion: string
}

/** An object as it is sent. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
}

export function apiVersionOf(kind: Kind): string {
  return `${kind.group}/${kind.version}`
}
