import { quote } from './quote.ts'

/** The tree of a parsed template: frozen data. `at` is where Go reports a failure of the node, an offset in UTF-16 units. */
export type Node = ListNode | TextNode | ActionNode | BranchNode | BreakNode | ContinueNode | TemplateNode
export type Operand =
  | PipeNode
  | IdentifierNode
  | FieldNode
  | VariableNode
  | ChainNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode

/** Whatever a failure can point at. */
export type Located = Node | Operand | CommandNode

export interface ListNode {
  readonly kind: 'list'
  readonly at: number
  readonly nodes: readonly Node[]
}

export interface TextNode {
  readonly kind: 'text'
  readonly at: number
  readonly text: string
}

/** `{{ pipe }}` */
export interface ActionNode {
  readonly kind: 'action'
  readonly at: number
  readonly pipe: PipeNode
}

export interface BranchNode {
  readonly kind: 'if' | 'with' | 'range'
  readonly at: number
  readonly pipe: PipeNode
  readonly list: ListNode
  readonly elseList?: ListNode
}

export interface BreakNode {
  readonly kind: 'break'
  readonly at: number
}

export interface ContinueNode {
  readonly kind: 'continue'
  readonly at: number
}

/** `{{ template "name" pipe }}`, and the place of a `block`. */
export interface TemplateNode {
  readonly kind: 'template'
  readonly at: number
  readonly name: string
  readonly pipe?: PipeNode
}

/** `$x, $y := command | command` */
export interface PipeNode {
  readonly kind: 'pipe'
  readonly at: number
  readonly declares: readonly VariableNode[]
  /** `=` instead of `:=` */
  readonly assigns: boolean
  readonly commands: readonly CommandNode[]
}

export interface CommandNode {
  readonly kind: 'command'
  readonly at: number
  readonly args: readonly [Operand, ...Operand[]]
  /** All but the first: cut off once, not at each rendering. */
  readonly rest: readonly Operand[]
}

export interface IdentifierNode {
  readonly kind: 'identifier'
  readonly at: number
  readonly name: string
}

/** `.A.B` */
export interface FieldNode {
  readonly kind: 'field'
  readonly at: number
  readonly path: readonly string[]
}

/** `$x.A.B`; the first of the path is the variable with its dollar. */
export interface VariableNode {
  readonly kind: 'variable'
  readonly at: number
  readonly path: readonly [string, ...string[]]
}

/** `(pipe).A.B` or `name.A` */
export interface ChainNode {
  readonly kind: 'chain'
  readonly at: number
  readonly node: Operand
  readonly path: readonly string[]
}

export interface DotNode {
  readonly kind: 'dot'
  readonly at: number
}

export interface NilNode {
  readonly kind: 'nil'
  readonly at: number
}

export interface BoolNode {
  readonly kind: 'bool'
  readonly at: number
  readonly value: boolean
}

/** A constant can be several kinds of number at once: 1 is an integer, a float and unsigned. */
export interface NumberNode {
  readonly kind: 'number'
  readonly at: number
  readonly text: string
  readonly integer?: bigint
  readonly unsigned?: bigint
  readonly float?: number
  readonly complex?: { readonly re: number; readonly im: number }
}

export interface StringNode {
  readonly kind: 'string'
  readonly at: number
  readonly quoted: string
  readonly text: string
}

/** The source of a node again, as Go writes it into its messages. */
export function describeNode(node: Located): string {
  switch (node.kind) {
    case 'list':
      return node.nodes.map(describeNode).join('')
    case 'text':
      return node.text
    case 'action':
      return `{{${describeNode(node.pipe)}}}`
    case 'if':
    case 'with':
    case 'range':
      return describeBranch(node)
    case 'break':
    case 'continue':
    case 'nil':
      return node.kind === 'nil' ? 'nil' : `{{${node.kind}}}`
    case 'template':
      return `{{template ${quote(node.name)}${node.pipe ? ` ${describeNode(node.pipe)}` : ''}}}`
    case 'pipe':
      return describePipe(node)
    case 'command':
      return node.args.map(describeNested).join(' ')
    case 'identifier':
      return node.name
    case 'field':
      return node.path.map((name) => `.${name}`).join('')
    case 'variable':
      return node.path.join('.')
    case 'chain':
      return [describeNested(node.node), ...node.path].join('.')
    case 'dot':
      return '.'
    case 'bool':
      return String(node.value)
    case 'number':
      return node.text
    case 'string':
      return node.quoted
  }
}

function describePipe(pipe: PipeNode): string {
  const declared = pipe.declares.map(describeNode).join(', ')
  const commands = pipe.commands.map(describeNode).join(' | ')
  return declared === '' ? commands : `${declared} ${pipe.assigns ? '=' : ':='} ${commands}`
}

function describeBranch(node: BranchNode): string {
  const otherwise = node.elseList ? `{{else}}${describeNode(node.elseList)}` : ''
  return `{{${node.kind} ${describeNode(node.pipe)}}}${describeNode(node.list)}${otherwise}{{end}}`
}

function describeNested(node: Operand): string {
  return node.kind === 'pipe' ? `(${describeNode(node)})` : describeNode(node)
}
