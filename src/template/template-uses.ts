/** Where something stands in the text of a template. Both count from 1. */
export interface TemplatePlace {
  readonly line: number
  readonly column: number
}

/** A path that a template looks at, made absolute where its block allows: `*` stands for any item or entry. */
export interface UsedPath {
  /** From the root of the context. */
  readonly parts: readonly string[]
  /** As it was written. */
  readonly text: string
  /** It may be absent: Handlebars' `optional` and `has`, Go's `index` of a map. */
  readonly isOptional: boolean
  /** Only asked about: the subject of `if` or `with`, an argument of `and`, `or`, `not`, `empty`. */
  readonly isCondition: boolean
  /** Arguments that were given to it as if it were a function, when there are any; Go takes them for methods only. */
  readonly argumentCount?: number
  readonly place: TemplatePlace
}

export interface UsedFunction {
  readonly name: string
  /** A piped value counts. */
  readonly argumentCount: number
  /** What is known of each argument before anything is rendered; Go templates only, where types must fit. */
  readonly args?: readonly (KnownArgument | undefined)[]
  readonly place: TemplatePlace
}

/** A literal, as it was written, or a path. */
export type KnownArgument =
  | { readonly literal: 'string' | 'integer' | 'float' | 'bool'; readonly text: string }
  | { readonly path: readonly string[]; readonly text: string }

/** What a template uses, in branches that are taken or not: the ground for lint, the same for both dialects. */
export interface TemplateUses {
  readonly paths: readonly UsedPath[]
  readonly functions: readonly UsedFunction[]
  /** Data variables of Handlebars (`@index`) that there are not where they stand. */
  readonly unknownData?: readonly UnknownData[]
}

export interface UnknownData {
  /** Without the `@`. */
  readonly name: string
  readonly known: readonly string[]
  readonly place: TemplatePlace
}

/** Functions whose arguments are only asked about. */
export const askingFunctions: ReadonlySet<string> = new Set(['and', 'or', 'not', 'empty'])
