import { sortedKeys } from '../go/sorted-keys.ts'
import { isTrue } from '../go/truth.ts'
import { GoMap, GoPointer, GoSlice, type GoValue, keyValue } from '../go/value.ts'
import { describe, evaluate } from './expression.ts'
import { type HandlebarsOptions, Run } from './run.ts'
import { innerScope, rootScope, type Scope } from './scope.ts'
import { textOfValue } from './text-of-value.ts'
import type { EachNode, Expression, HandlebarsNode, HandlebarsTree } from './tree.ts'

/**
 * Renders a tree over a context. Strict throughout: a path that leads nowhere, or to nothing, is an error that names the
 * path, what there is instead, line and column. Throws TEMPLATE_*; no text is given out when something fails.
 */
export function renderHandlebars(tree: HandlebarsTree, context: GoValue, options: HandlebarsOptions): string {
  const run = new Run(tree, options)
  renderBody(run, tree.body, rootScope(context))
  return run.output
}

const start = { line: 1, column: 1 }

function renderBody(run: Run, nodes: readonly HandlebarsNode[], scope: Scope): void {
  for (const node of nodes) renderNode(run, node, scope)
}

function renderNode(run: Run, node: HandlebarsNode, scope: Scope): void {
  switch (node.kind) {
    case 'text':
      return run.write(node.text, start)
    case 'output':
      return print(run, node.value, scope)
    case 'condition': {
      const holds = isTrue(evaluate(run, node.subject, scope, 'condition')) !== node.negated
      return run.nested(node.place, () => renderBody(run, holds ? node.body : node.otherwise, scope))
    }
    case 'with': {
      const subject = evaluate(run, node.subject, scope, 'condition')
      if (!isTrue(subject)) return run.nested(node.place, () => renderBody(run, node.otherwise, scope))
      const names = new Map(node.names.map((name) => [name, subject] as const))
      return run.nested(node.place, () => renderBody(run, node.body, innerScope(scope, subject, names)))
    }
    case 'each':
      return run.nested(node.place, () => renderEach(run, node, scope))
  }
}

function print(run: Run, expression: Expression, scope: Scope): void {
  const result = textOfValue(evaluate(run, expression, scope, 'value'))
  if ('refusal' in result) throw run.error('TEMPLATE_EXEC', expression.place, `${describe(expression)} ${result.refusal}`)
  run.write(result.text, expression.place)
}

function renderEach(run: Run, node: EachNode, scope: Scope): void {
  const entries = entriesOf(evaluate(run, node.subject, scope, 'condition'))
  if (!entries) {
    const message = `${describe(node.subject)} is neither a list nor a map: #each goes over these only`
    throw run.error('TEMPLATE_EXEC', node.subject.place, message)
  }
  if (entries.length === 0) return renderBody(run, node.otherwise, scope)
  entries.forEach(([key, item], at) => {
    run.step(node.place)
    const [itemName, keyName] = node.names
    const names = new Map<string, GoValue>()
    if (itemName !== undefined) names.set(itemName, item)
    if (keyName !== undefined) names.set(keyName, key)
    const data = { key, index: BigInt(at), first: at === 0, last: at === entries.length - 1 }
    renderBody(run, node.body, innerScope(scope, item, names, data))
  })
}

/** Items with their index, entries with their key in order; undefined for what has neither. */
function entriesOf(subject: GoValue): ReadonlyArray<readonly [key: GoValue, item: GoValue]> | undefined {
  const value = subject instanceof GoPointer ? subject.target : subject
  if (value === null) return []
  if (value instanceof GoSlice) return value.items.map((item, at) => [BigInt(at), item] as const)
  if (!(value instanceof GoMap)) return undefined
  return sortedKeys(value).map((key) => [keyValue(value, key), value.entries.get(key) ?? null] as const)
}
