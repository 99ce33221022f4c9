import Type, { type Static, type TObject, type TProperties, type TSchema, type TUnsafe } from 'typebox'

/**
 * Builders for schemas in the words of this project. A value made here is a TypeBox schema, so its type is inferred,
 * and it stays within what a Kubernetes structural schema can say (`crd.ts` prints it as one).
 * Each takes its description first or last, because every field can be asked about.
 */

export type { Static, TObject, TProperties, TSchema }

/** The TypeScript type of a schema. */
export type TypeOf<S extends TSchema> = Static<S>

interface TextLimits {
  readonly pattern?: string
  readonly minLength?: number
  /** Printed by the API server and kubectl as a time. */
  readonly format?: 'date-time'
  /** The value is a secret: it is masked wherever it could be shown. */
  readonly secret?: true
}

/** A string. */
export function text(description: string, limits: TextLimits = {}): Type.TString {
  const { secret, ...rest } = limits
  return Type.String({ description, ...rest, ...(secret ? { 'x-holdfast-secret': true } : {}) })
}

/** A whole number of up to 53 bits; int64 on the wire. */
export function integer(
  description: string,
  limits: { readonly minimum?: number; readonly maximum?: number } = {},
): Type.TInteger {
  return Type.Integer({ description, format: 'int64', ...limits })
}

/** True or false. */
export function flag(description: string): Type.TBoolean {
  return Type.Boolean({ description })
}

/** One of a few words. */
export function oneOf<const Words extends readonly string[]>(words: Words, description: string): TUnsafe<Words[number]> {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: words, description })
}

export function list<Item extends TSchema>(item: Item, description: string): Type.TArray<Item> {
  return Type.Array(item, { description })
}

/** An object with free keys and values of one kind. */
export function map<Value extends TSchema>(value: Value, description: string): Type.TRecord<'^.*$', Value> {
  return Type.Record(Type.String(), value, { description })
}

export function object<Props extends TProperties>(properties: Props, description?: string): TObject<Props> {
  return Type.Object(properties, description === undefined ? {} : { description })
}

/** Any JSON object; the API server keeps it as it is. */
export function freeObject(description: string): TUnsafe<Record<string, unknown>> {
  return Type.Unsafe<Record<string, unknown>>({ type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true })
}

/** Any JSON value at all, so also the list form of `args` of 2018: there must be no `type`. */
export function anything(description: string): TUnsafe<unknown> {
  return Type.Unsafe<unknown>({ description, 'x-kubernetes-preserve-unknown-fields': true })
}

/**
 * For what only our own code writes: the type and our checks are as they were, but the API server takes it as it comes. It looks
 * at every field of every write otherwise, which for a large object costs it more than everything else in the request.
 */
export function uncheckedByServer<S extends TSchema>(schema: S): S {
  return { ...schema, 'x-holdfast-unchecked': true }
}

/** May be absent. */
export function optional<S extends TSchema>(schema: S): ReturnType<typeof Type.Optional<S>> {
  return Type.Optional(schema)
}

/** May be absent and is then `fallback`; after decoding it is always there. */
export function withDefault<S extends TSchema>(schema: S, fallback: Static<S>): S {
  return { ...schema, default: fallback }
}
