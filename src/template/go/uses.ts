import { askingFunctions, type KnownArgument, type TemplateUses, type UsedFunction, type UsedPath } from '../template-uses.ts'
import {
  type BranchNode,
  type CommandNode,
  describeNode,
  type ListNode,
  type Located,
  type Node,
  type Operand,
  type PipeNode,
} from './nodes.ts'
import type { ParsedTemplate } from './parser.ts'

/**
 * Paths and functions that a Go template uses, taken branches or not. Paths over computed values (the result of a call)
 * are not among them; a method at the end of a path counts as one of its parts.
 */
export function usesOfGoTemplate(template: ParsedTemplate): TemplateUses {
  const collector = new Collector(template)
  const tree = template.trees.get(template.name)
  if (tree) collector.list(tree, { dot: [], variables: new Map([['$', []]]) })
  return { paths: collector.paths, functions: collector.functions }
}

/** Where a value comes from: its path from the root; undefined when it was computed. */
type Origin = readonly string[] | undefined

interface Scope {
  readonly dot: Origin
  readonly variables: Map<string, Origin>
}

type Asking = Pick<UsedPath, 'isOptional' | 'isCondition' | 'argumentCount'>

const plainly: Asking = { isOptional: false, isCondition: false }
const asked: Asking = { isOptional: false, isCondition: true }

class Collector {
  readonly paths: UsedPath[] = []
  readonly functions: UsedFunction[] = []
  readonly #template: ParsedTemplate
  /** Templates that call themselves are walked once. */
  readonly #within = new Set<string>()

  constructor(template: ParsedTemplate) {
    this.#template = template
  }

  list(list: ListNode | undefined, scope: Scope): void {
    for (const node of list?.nodes ?? []) this.#node(node, scope)
  }

  #node(node: Node, scope: Scope): void {
    switch (node.kind) {
      case 'action':
        this.#pipe(node.pipe, scope, plainly)
        return
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(node, scope)
      case 'template':
        return this.#call(node.name, node.pipe ? this.#pipe(node.pipe, scope, plainly) : undefined)
      case 'list':
        return this.list(node, scope)
      default:
    }
  }

  #branch(node: BranchNode, scope: Scope): void {
    const own: Scope = { dot: scope.dot, variables: new Map(scope.variables) }
    const subject = this.#pipe(node.pipe, own, node.kind === 'range' ? plainly : asked)
    const item = node.kind === 'range' && subject ? [...subject, '*'] : subject
    if (node.kind === 'range') {
      const { declares } = node.pipe
      // With two variables the first is the index or key.
      declares.forEach((variable, at) => own.variables.set(variable.path[0], at === declares.length - 1 ? item : undefined))
    }
    this.list(node.list, { dot: node.kind === 'if' ? scope.dot : item, variables: new Map(own.variables) })
    this.list(node.elseList, own)
  }

  #call(name: string, dot: Origin): void {
    const tree = this.#template.trees.get(name)
    if (!tree || this.#within.has(name)) return
    this.#within.add(name)
    this.list(tree, { dot, variables: new Map([['$', dot]]) })
    this.#within.delete(name)
  }

  #pipe(pipe: PipeNode, scope: Scope, asking: Asking): Origin {
    let origin: Origin
    pipe.commands.forEach((command, at) => {
      const piped = at > 0 ? { known: knownPath(origin, pipe.commands[at - 1]) } : undefined
      origin = this.#command(command, scope, pipe.commands.length === 1 ? asking : plainly, piped)
    })
    for (const variable of pipe.declares) scope.variables.set(variable.path[0], origin)
    return origin
  }

  #command(command: CommandNode, scope: Scope, asking: Asking, piped: Piped | undefined): Origin {
    const [head, ...args] = command.args
    if (head.kind !== 'identifier') {
      for (const arg of args) this.#operand(arg, scope, plainly)
      const given = args.length + (piped ? 1 : 0)
      return this.#operand(head, scope, given > 0 ? { ...asking, argumentCount: given } : asking)
    }
    const inner = askingFunctions.has(head.name) ? asked : plainly
    const at = this.functions.length
    const origins = args.map((arg) => this.#operand(arg, scope, inner))
    const known = args.map((arg, index) => literalOf(arg) ?? knownPath(origins[index], arg))
    const all = piped ? [...known, piped.known] : known
    // Before those inside of its arguments.
    this.functions.splice(at, 0, { name: head.name, argumentCount: all.length, args: all, place: this.#placeOf(head) })
    return head.name === 'index' && !piped ? this.#indexed(command, origins[0], args) : undefined
  }

  /** `index .Options "x"` looks at Options.x, which need not be there. */
  #indexed(command: CommandNode, start: Origin, args: readonly Operand[]): Origin {
    if (!start || args.length < 2) return undefined
    const keys = args.slice(1).map((arg) => (arg.kind === 'string' ? arg.text : arg.kind === 'number' ? arg.text : '*'))
    const parts = [...start, ...keys]
    this.#use(parts, command, { isOptional: true, isCondition: false })
    return parts
  }

  #operand(operand: Operand, scope: Scope, asking: Asking): Origin {
    switch (operand.kind) {
      case 'dot':
        return scope.dot
      case 'field':
        return this.#use(joined(scope.dot, operand.path), operand, asking)
      case 'variable': {
        const [name, ...path] = operand.path
        const start = scope.variables.get(name)
        return path.length === 0 ? start : this.#use(joined(start, path), operand, asking)
      }
      case 'chain':
        return this.#use(joined(this.#operand(operand.node, scope, plainly), operand.path), operand, asking)
      case 'pipe':
        return this.#pipe(operand, scope, asking)
      case 'identifier':
        this.functions.push({ name: operand.name, argumentCount: 0, place: this.#placeOf(operand) })
        return undefined
      default:
        return undefined
    }
  }

  #use(parts: Origin, node: Located, asking: Asking): Origin {
    if (parts) this.paths.push({ parts, text: describeNode(node), ...asking, place: this.#placeOf(node) })
    return parts
  }

  #placeOf(node: Located): { line: number; column: number } {
    const at = this.#startOf(node)
    const before = this.#template.source.slice(0, at)
    const lineStart = before.lastIndexOf('\n') + 1
    return { line: before.split('\n').length, column: at - lineStart + 1 }
  }

  /** Go reports a path of several steps at its second one; people look for its beginning. */
  #startOf(node: Located): number {
    if (node.kind !== 'field' && node.kind !== 'variable') return node.at
    const first = node.kind === 'field' ? `.${node.path[0]}` : node.path[0]
    const start = node.at - first.length
    return this.#template.source.startsWith(first, start) ? start : node.at
  }
}

/** The value that a pipe hands on, as the last argument. */
interface Piped {
  readonly known: KnownArgument | undefined
}

function knownPath(origin: Origin, node: Located | undefined): KnownArgument | undefined {
  return origin && node ? { path: origin, text: describeNode(node) } : undefined
}

function literalOf(operand: Operand): KnownArgument | undefined {
  if (operand.kind === 'string') return { literal: 'string', text: operand.quoted }
  if (operand.kind === 'bool') return { literal: 'bool', text: String(operand.value) }
  if (operand.kind !== 'number') return undefined
  return { literal: operand.integer === undefined ? 'float' : 'integer', text: operand.text }
}

function joined(start: Origin, rest: readonly string[]): Origin {
  return start ? [...start, ...rest] : undefined
}
