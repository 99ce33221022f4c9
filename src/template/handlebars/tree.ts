import type { GoValue } from '../go/value.ts'

/** Where something stands in the text. Both count from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A parsed template: frozen data, free of code, to be rendered any number of times. */
export interface HandlebarsTree {
  readonly source: string
  readonly body: readonly HandlebarsNode[]
}

export type HandlebarsNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'output'; readonly value: Expression; readonly place: Place }
  | ConditionNode
  | WithNode
  | EachNode

/** `#if` and `#unless`. */
export interface ConditionNode {
  readonly kind: 'condition'
  readonly negated: boolean
  readonly subject: Expression
  readonly body: readonly HandlebarsNode[]
  readonly otherwise: readonly HandlebarsNode[]
  readonly place: Place
}

export interface WithNode {
  readonly kind: 'with'
  readonly subject: Expression
  readonly names: readonly string[]
  readonly body: readonly HandlebarsNode[]
  readonly otherwise: readonly HandlebarsNode[]
  readonly place: Place
}

export interface EachNode {
  readonly kind: 'each'
  readonly subject: Expression
  /** Names for the item, and for its index or key. */
  readonly names: readonly string[]
  readonly body: readonly HandlebarsNode[]
  readonly otherwise: readonly HandlebarsNode[]
  readonly place: Place
}

export type Expression = Literal | PathExpression | CallExpression

export interface Literal {
  readonly kind: 'literal'
  readonly value: GoValue
  readonly place: Place
}

/** `Options.x`, `../name`, `@index`, `this`. */
export interface PathExpression {
  readonly kind: 'path'
  /** As it was written. */
  readonly text: string
  /** Contexts to go up: the number of `../`. */
  readonly up: number
  /** `@…`: one of the data variables, the first of the parts. */
  readonly isData: boolean
  /** Begins with `this.` or `./`: names of block parameters and of functions don't count. */
  readonly isScoped: boolean
  readonly parts: readonly string[]
  /** `{{name}}`: a function of that name may be meant. */
  readonly mayCall: boolean
  readonly place: Place
}

export interface CallExpression {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Expression[]
  readonly place: Place
}
