import { failure } from './failure.ts'
import { hintForGoTemplate } from './hints.ts'
import type { CallExpression, Expression, HandlebarsNode, PathExpression, Place } from './tree.ts'

/** Blocks and calls inside of each other; a text within it is never nested deeper by a person. */
const maxDepth = 200

const blocks = new Set(['if', 'unless', 'with', 'each'])

/** Makes our own nodes of the package's, and refuses what this dialect leaves out. */
export function convertProgram(source: string, program: hbs.AST.Program): readonly HandlebarsNode[] {
  return new Converter(source).body(program)
}

class Converter {
  readonly #source: string
  readonly #lines: readonly string[]
  #depth = 0

  constructor(source: string) {
    this.#source = source
    this.#lines = source.split('\n')
  }

  body(program: hbs.AST.Program | undefined): readonly HandlebarsNode[] {
    const nodes = (program?.body ?? []).map((statement) => this.#statement(statement))
    return Object.freeze(nodes.filter((node) => node !== undefined))
  }

  #statement(statement: hbs.AST.Statement): HandlebarsNode | undefined {
    switch (statement.type) {
      case 'ContentStatement':
        return Object.freeze({ kind: 'text', text: (statement as hbs.AST.ContentStatement).value })
      case 'MustacheStatement':
        return this.#output(statement as hbs.AST.MustacheStatement)
      case 'BlockStatement':
        return this.#nested(statement, () => this.#block(statement as hbs.AST.BlockStatement))
      case 'CommentStatement':
        return undefined
      case 'PartialStatement':
      case 'PartialBlockStatement':
        throw this.#refuse(statement, 'partials ({{> name}}) are not offered: each text of a Blueprint stands for itself')
      default:
        throw this.#refuse(statement, 'decorators ({{* name}}) are not offered')
    }
  }

  #output(statement: hbs.AST.MustacheStatement): HandlebarsNode {
    const { path, params, hash } = statement
    const place = placeOf(statement)
    if (hash) throw this.#refuseHash(statement, hash)
    if (params.length > 0) return Object.freeze({ kind: 'output', value: this.#call(statement, path, params), place })
    const value = this.#expression(path)
    return Object.freeze({
      kind: 'output',
      value: value.kind === 'path' ? Object.freeze({ ...value, mayCall: isBareName(value) }) : value,
      place,
    })
  }

  #block(statement: hbs.AST.BlockStatement): HandlebarsNode | undefined {
    const name = this.#blockName(statement)
    const place = placeOf(statement)
    if (name === 'raw') return this.#raw(statement)
    const { params, hash, program, inverse } = statement
    // `{{^if x}}` has nothing but an inverse part.
    if (!program) throw this.#refuse(statement, `write {{#unless ${name}}}…{{/unless}} in place of {{^${name}}}`)
    if (hash) throw this.#refuseHash(statement, hash)
    if (!blocks.has(name)) {
      const hint = hintForGoTemplate(this.#sourceOf(statement))
      throw this.#refuse(statement, `there is no block "${name}"; blocks are #if, #unless, #with and #each${hint}`)
    }
    const [subject] = params
    if (!subject || params.length > 1) throw this.#refuse(statement, `#${name} takes one value, got ${params.length}`)
    const names = program.blockParams ?? []
    const parts = { subject: this.#expression(subject), body: this.body(program), otherwise: this.body(inverse), place }
    switch (name) {
      case 'if':
      case 'unless':
        if (names.length > 0) throw this.#refuse(statement, `#${name} takes no block parameters`)
        return Object.freeze({ kind: 'condition', negated: name === 'unless', ...parts })
      case 'with':
        if (names.length > 1) throw this.#refuse(statement, '#with takes one block parameter')
        return Object.freeze({ kind: 'with', names, ...parts })
      default:
        if (names.length > 2) throw this.#refuse(statement, '#each takes two block parameters: item, and index or key')
        return Object.freeze({ kind: 'each', names, ...parts })
    }
  }

  #blockName(statement: hbs.AST.BlockStatement): string {
    const { path } = statement
    return path.type === 'PathExpression' ? path.original : ''
  }

  /** `{{{{raw}}}} … {{{{/raw}}}}`: text as it is. */
  #raw(statement: hbs.AST.BlockStatement): HandlebarsNode {
    const body = this.body(statement.program)
    const [text] = body
    if (statement.params.length > 0 || body.length > 1 || (text && text.kind !== 'text')) {
      throw this.#refuse(statement, 'raw text is written {{{{raw}}}}…{{{{/raw}}}}')
    }
    return text ?? Object.freeze({ kind: 'text', text: '' })
  }

  #expression(node: hbs.AST.Expression): Expression {
    const place = placeOf(node)
    switch (node.type) {
      case 'PathExpression':
        return this.#path(node as hbs.AST.PathExpression)
      case 'SubExpression': {
        const { path, params, hash } = node as hbs.AST.SubExpression
        if (hash) throw this.#refuseHash(node, hash)
        return this.#nested(node, () => this.#call(node, path, params))
      }
      case 'StringLiteral':
        return Object.freeze({ kind: 'literal', value: (node as hbs.AST.StringLiteral).value, place })
      case 'BooleanLiteral':
        return Object.freeze({ kind: 'literal', value: (node as hbs.AST.BooleanLiteral).value, place })
      case 'NumberLiteral':
        return Object.freeze({ kind: 'literal', value: this.#number(node as hbs.AST.NumberLiteral), place })
      default:
        // null and undefined
        return Object.freeze({ kind: 'literal', value: null, place })
    }
  }

  /** As it was written: `1.0` is a float, and large integers stay exact. */
  #number(node: hbs.AST.NumberLiteral): bigint | number {
    const written = this.#sourceOf(node).trim()
    if (/^-?\d+$/.test(written)) return BigInt(written)
    return /^-?\d+\.\d+$/.test(written) || !Number.isSafeInteger(node.value) ? node.value : BigInt(node.value)
  }

  #path(node: hbs.AST.PathExpression): PathExpression {
    const text = this.#sourceOf(node).trim()
    if (/\s/.test(text.replace(/\[[^\]]*\]/g, ''))) {
      // `index .Deployment` is one path to the parser, with a space in it.
      throw this.#refuse(node, `"${text}" is no path${hintForGoTemplate(`{{${text}}}`)}`)
    }
    const isScoped = /^(this[./]|\.\/)/.test(node.original)
    return Object.freeze({
      kind: 'path',
      text: text || node.original,
      up: node.depth,
      isData: node.data,
      isScoped,
      parts: Object.freeze([...node.parts]),
      mayCall: false,
      place: placeOf(node),
    })
  }

  #call(node: hbs.AST.Node, head: hbs.AST.Expression, params: readonly hbs.AST.Expression[]): CallExpression {
    const path = this.#expression(head)
    if (path.kind !== 'path' || !isBareName(path)) {
      const written = path.kind === 'path' ? path.text : this.#sourceOf(head)
      throw this.#refuse(node, `"${written}" cannot be called: only functions of the library take arguments`)
    }
    const args = Object.freeze(params.map((param) => this.#expression(param)))
    return Object.freeze({ kind: 'call', name: path.parts[0] ?? '', args, place: placeOf(head) })
  }

  #nested<T>(node: hbs.AST.Node, work: () => T): T {
    if (this.#depth >= maxDepth) {
      const { line, column } = placeOf(node)
      throw failure(
        'TEMPLATE_LIMIT',
        this.#source,
        { line, column },
        `more than ${maxDepth} blocks and calls inside of each other`,
      )
    }
    this.#depth++
    try {
      return work()
    } finally {
      this.#depth--
    }
  }

  #sourceOf(node: hbs.AST.Node): string {
    const { start, end } = node.loc
    if (start.line === end.line) return (this.#lines[start.line - 1] ?? '').slice(start.column, end.column)
    const first = (this.#lines[start.line - 1] ?? '').slice(start.column)
    const middle = this.#lines.slice(start.line, end.line - 1)
    return [first, ...middle, (this.#lines[end.line - 1] ?? '').slice(0, end.column)].join('\n')
  }

  #refuse(node: hbs.AST.Node, message: string): Error {
    return failure('TEMPLATE_PARSE', this.#source, placeOf(node), message)
  }

  #refuseHash(node: hbs.AST.Node, hash: hbs.AST.Hash): Error {
    const name = hash.pairs[0]?.key ?? ''
    const hint = hintForGoTemplate(this.#sourceOf(node))
    return this.#refuse(
      hash,
      `named arguments are not offered: "${name}="${hint || '; functions take their arguments in order'}`,
    )
  }
}

function placeOf(node: hbs.AST.Node): Place {
  return { line: node.loc.start.line, column: node.loc.start.column + 1 }
}

function isBareName(path: PathExpression): boolean {
  return path.parts.length === 1 && path.up === 0 && !path.isData && !path.isScoped
}
