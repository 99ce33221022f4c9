import type { GoValue } from '../go/value.ts'

/** Data variables of a block: `@index`, `@key`, `@first`, `@last`. */
export type BlockData = Readonly<Record<string, GoValue>>

/** What names mean at a place: the context, data variables, block parameters, and what is around. */
export interface Scope {
  readonly context: GoValue
  readonly data: ReadonlyMap<string, GoValue>
  readonly names: ReadonlyMap<string, GoValue>
  readonly outer: Scope | undefined
}

export function rootScope(context: GoValue): Scope {
  return { context, data: new Map([['root', context]]), names: new Map(), outer: undefined }
}

/** A scope inside of another: `../` and block parameters of outer blocks still work. */
export function innerScope(outer: Scope, context: GoValue, names: ReadonlyMap<string, GoValue>, data?: BlockData): Scope {
  const own = data ? new Map([...outer.data, ...Object.entries(data)]) : outer.data
  return { context, data: own, names, outer }
}

/** The scope `up` contexts above; undefined beyond the root. */
export function scopeAbove(scope: Scope, up: number): Scope | undefined {
  let found: Scope | undefined = scope
  for (let level = 0; level < up && found; level++) found = found.outer
  return found
}

/** The value of a block parameter, of the innermost block that has it. */
export function findName(scope: Scope, name: string): { readonly value: GoValue } | undefined {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    if (at.names.has(name)) return { value: at.names.get(name) ?? null }
  }
  return undefined
}
