import { templateError } from '../errors.ts'
import { canonical } from './byte-string.ts'
import { Execution, type ExecutionOptions } from './execution.ts'
import { evaluatePipe } from './expression.ts'
import { type BranchNode, describeNode, type ListNode, type Node, type TemplateNode } from './nodes.ts'
import { indirect, type Operand, valueIn } from './operand.ts'
import type { ParsedTemplate } from './parser.ts'
import { sprintValue } from './print.ts'
import { printable } from './printable.ts'
import { quote } from './quote.ts'
import { rangeItems } from './ranging.ts'
import { isTrue } from './truth.ts'
import { type GoValue, typeOf } from './value.ts'
import { workOfPrinting } from './work.ts'

/** How a list of nodes ended, when not at its end. */
type Jump = 'break' | 'continue' | undefined

/** Renders a parsed template over a value; null is no data at all. Throws TEMPLATE_* errors, gives nothing then. */
export function executeTemplate(template: ParsedTemplate, data: GoValue, options: ExecutionOptions): string {
  const root: Operand = data ?? undefined
  const execution = new Execution(template, options, root)
  const tree = template.trees.get(template.name)
  if (!tree) throw execution.error(`${quote(template.name)} is an incomplete or empty template`)
  try {
    walkList(execution, root, tree)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    // The engine's own stack, or a string longer than it can hold: limits that came before ours.
    throw templateError('TEMPLATE_LIMIT', `template: ${template.name}: ${error.message}`, { cause: error })
  }
  return canonical(execution.output)
}

function walkList(execution: Execution, dot: Operand, list: ListNode): Jump {
  execution.at(list)
  for (const node of list.nodes) {
    const jump = walk(execution, dot, node)
    if (jump) return jump
  }
  return undefined
}

function walk(execution: Execution, dot: Operand, node: Node): Jump {
  execution.step()
  execution.at(node)
  switch (node.kind) {
    case 'text':
      execution.write(node.text)
      return undefined
    case 'action': {
      // A declaration prints nothing, and its variables last until the enclosing end.
      const value = evaluatePipe(execution, dot, node.pipe)
      if (node.pipe.declares.length === 0) print(execution, node, value)
      return undefined
    }
    case 'if':
    case 'with':
      return execution.nested(() => walkIfOrWith(execution, dot, node))
    case 'range':
      return execution.nested(() => walkRange(execution, dot, node))
    case 'template':
      execution.nested(() => walkTemplate(execution, dot, node))
      return undefined
    case 'list':
      return walkList(execution, dot, node)
    case 'break':
    case 'continue':
      return node.kind
  }
}

function print(execution: Execution, node: Node, value: Operand): void {
  execution.at(node)
  const shown = printable(value)
  if (shown === undefined) throw execution.error(`can't print ${describeNode(node)} of type ${typeOf(valueIn(value)).name}`)
  execution.charge(workOfPrinting(shown, execution.stepsLeft))
  execution.write(sprintValue(shown))
}

function walkIfOrWith(execution: Execution, dot: Operand, node: BranchNode): Jump {
  const mark = execution.variables.length
  const value = evaluatePipe(execution, dot, node.pipe)
  let jump: Jump
  if (isTrue(valueIn(value))) jump = walkList(execution, node.kind === 'with' ? value : dot, node.list)
  else if (node.elseList) jump = walkList(execution, dot, node.elseList)
  execution.variables.length = mark
  return jump
}

function walkRange(execution: Execution, dot: Operand, node: BranchNode): Jump {
  const outer = execution.variables.length
  const { value } = indirect(evaluatePipe(execution, dot, node.pipe))
  const inner = execution.variables.length
  const items = rangeItems(execution, value, node.pipe.declares.length)
  let empty = true
  for (const [index, item] of items) {
    empty = false
    execution.step()
    setRangeVariables(execution, node, index, item)
    const jump = walkList(execution, item, node.list)
    execution.variables.length = inner
    if (jump === 'break') break
  }
  let jump: Jump
  if (empty && node.elseList) jump = walkList(execution, dot, node.elseList)
  execution.variables.length = outer
  return jump
}

function setRangeVariables(execution: Execution, node: BranchNode, index: Operand, item: Operand): void {
  const [first, second] = node.pipe.declares
  if (!first) return
  if (!node.pipe.assigns) {
    // The pipeline has just declared them: they are on top.
    const top = execution.variables.length
    const last = execution.variables[top - 1]
    const before = execution.variables[top - 2]
    if (last) last.value = item
    if (second && before) before.value = index
    return
  }
  execution.setVariable(first.path[0], second ? index : item)
  if (second) execution.setVariable(second.path[0], item)
}

function walkTemplate(execution: Execution, dot: Operand, node: TemplateNode): void {
  execution.at(node)
  const tree = execution.template.trees.get(node.name)
  if (!tree) throw execution.error(`template ${quote(node.name)} not defined`)
  const argument = node.pipe ? evaluatePipe(execution, dot, node.pipe) : undefined
  const { variables, treeName } = execution
  execution.variables = [{ name: '$', value: argument }]
  execution.treeName = node.name
  walkList(execution, argument, tree)
  execution.variables = variables
  execution.treeName = treeName
}
