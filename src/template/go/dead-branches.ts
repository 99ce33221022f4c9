import type { BranchNode, ListNode, Node } from './nodes.ts'
import type { ParsedTemplate } from './parser.ts'

/** Offsets of conditions that a literal decides for ever, and of what stands behind a `break` or `continue`. */
export function deadBranches(template: ParsedTemplate): readonly number[] {
  return [...template.trees.values()].flatMap(inList)
}

function inList(list: ListNode | undefined): readonly number[] {
  const nodes = list?.nodes ?? []
  const jump = nodes.findIndex((node) => node.kind === 'break' || node.kind === 'continue')
  const behind = jump < 0 ? undefined : nodes.slice(jump + 1).find((node) => node.kind !== 'text' || node.text.trim() !== '')
  return [...nodes.flatMap(inNode), ...(behind ? [behind.at] : [])]
}

function inNode(node: Node): readonly number[] {
  switch (node.kind) {
    case 'if':
    case 'with':
    case 'range':
      return [...(isDecided(node) ? [node.pipe.at] : []), ...inList(node.list), ...inList(node.elseList)]
    case 'list':
      return inList(node)
    default:
      return []
  }
}

function isDecided({ kind, pipe }: BranchNode): boolean {
  const [command] = pipe.commands
  const subject = command?.args[0].kind ?? ''
  const isAlone = pipe.commands.length === 1 && command?.args.length === 1
  return kind !== 'range' && isAlone && ['bool', 'number', 'string'].includes(subject)
}
