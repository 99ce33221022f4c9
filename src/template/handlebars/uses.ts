import { sprintValue } from '../go/print.ts'
import { askingFunctions, type TemplateUses, type UnknownData, type UsedFunction, type UsedPath } from '../template-uses.ts'
import type { EachNode, Expression, HandlebarsNode, HandlebarsTree, PathExpression, WithNode } from './tree.ts'

/** The paths that a template looks at, for lint. Paths over computed values (the result of a call) are not among them. */
export function pathsUsed(tree: HandlebarsTree): readonly UsedPath[] {
  return usesOf(tree).paths
}

/** Paths and functions that a template uses, taken branches or not. */
export function usesOf(tree: HandlebarsTree): TemplateUses {
  const collector = new Collector()
  collector.body(tree.body, [{ context: [], names: new Map() }])
  return { paths: collector.paths, functions: collector.functions, unknownData: collector.unknownData }
}

/** Where the context of a block and its parameters come from; undefined when it was computed. */
interface Frame {
  readonly context: readonly string[] | undefined
  readonly names: ReadonlyMap<string, readonly string[] | undefined>
  readonly isLoop?: boolean
}

/** What `each` brings as `@…`. */
const loopData: readonly string[] = ['index', 'key', 'first', 'last']

type Asking = Pick<UsedPath, 'isOptional' | 'isCondition'>

const plainly: Asking = { isOptional: false, isCondition: false }

class Collector {
  readonly paths: UsedPath[] = []
  readonly functions: UsedFunction[] = []
  readonly unknownData: UnknownData[] = []

  body(nodes: readonly HandlebarsNode[], frames: readonly Frame[]): void {
    for (const node of nodes) {
      if (node.kind === 'text') continue
      if (node.kind === 'output') {
        this.#expression(node.value, frames, plainly)
        continue
      }
      this.#expression(node.subject, frames, { isOptional: false, isCondition: true })
      this.body(node.body, node.kind === 'condition' ? frames : [...frames, frameOf(node, frames)])
      this.body(node.otherwise, frames)
    }
  }

  #expression(expression: Expression, frames: readonly Frame[], asking: Asking): void {
    if (expression.kind === 'path') this.#path(expression, frames, asking)
    if (expression.kind !== 'call') return
    const { name, args, place } = expression
    this.functions.push({ name, argumentCount: args.length, place })
    const isCondition = askingFunctions.has(name)
    args.forEach((arg, at) => {
      const isOptional = at === 0 && name === 'optional'
      this.#expression(arg, frames, { isOptional, isCondition: isCondition || (at === 0 && name === 'has') })
    })
    // The keys that `has`, `optional` and `lookup` name are part of the path.
    if (['has', 'optional', 'lookup', 'index'].includes(name)) this.#keyed(args, frames, name === 'has' || name === 'optional')
  }

  #keyed(args: readonly Expression[], frames: readonly Frame[], isOptional: boolean): void {
    const [subject, ...keys] = args
    if (subject?.kind !== 'path' || keys.length === 0) return
    const start = absolute(subject, frames)
    const names = keys.map((key) => (key.kind === 'literal' ? sprintValue(key.value) : '*'))
    if (!start) return
    this.paths.push({
      parts: [...start, ...names],
      text: subject.text,
      isOptional,
      isCondition: isOptional,
      place: subject.place,
    })
  }

  #data({ parts: [name = ''], place }: PathExpression, frames: readonly Frame[]): void {
    const known = ['root', ...(frames.some((frame) => frame.isLoop) ? loopData : [])]
    if (!known.includes(name)) this.unknownData.push({ name, known, place })
  }

  #path(path: PathExpression, frames: readonly Frame[], asking: Asking): void {
    if (path.isData) this.#data(path, frames)
    const parts = absolute(path, frames)
    if (parts) this.paths.push({ parts, text: path.text, ...asking, place: path.place })
  }
}

function frameOf(node: WithNode | EachNode, frames: readonly Frame[]): Frame {
  const subject = node.subject.kind === 'path' ? absolute(node.subject, frames) : undefined
  const context = subject && node.kind === 'each' ? [...subject, '*'] : subject
  return {
    context,
    isLoop: node.kind === 'each',
    names: new Map(node.names.map((name, at) => [name, at === 0 ? context : undefined])),
  }
}

/** The parts from the root on; undefined where a computed value lies in between. */
function absolute(path: PathExpression, frames: readonly Frame[]): readonly string[] | undefined {
  if (path.isData) return path.parts[0] === 'root' ? path.parts.slice(1) : undefined
  const [first = '', ...rest] = path.parts
  const named = path.up === 0 && !path.isScoped ? frames.findLast((frame) => frame.names.has(first)) : undefined
  if (named) return joined(named.names.get(first), rest)
  return joined(frames.at(-1 - path.up)?.context, path.parts)
}

function joined(start: readonly string[] | undefined, rest: readonly string[]): readonly string[] | undefined {
  return start ? [...start, ...rest] : undefined
}
