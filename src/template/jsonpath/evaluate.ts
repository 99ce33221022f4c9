import { FunctionError } from '../functions/define.ts'
import { isEqual, isLess, isLessOrEqual } from '../go/compare.ts'
import { encodeJson } from '../go/json-encode.ts'
import { sprintValue } from '../go/print.ts'
import { sortedKeys } from '../go/sorted-keys.ts'
import { GoMap, GoSlice, type GoValue, typeOf } from '../go/value.ts'
import type { PathList, PathNode } from './nodes.ts'

/** Thrown where a path does not fit the object, in kubectl's words. */
export class JsonPathError extends Error {}

/** Prints what a JSONPath finds in an object, as `kubectl -o jsonpath` does. Throws JsonPathError. */
export function printJsonPath(nodes: readonly PathNode[], object: GoValue): string {
  return new PathWalk().run(nodes, object).map(printResults).join('')
}

type Values = readonly GoValue[]

/** Results of several values are separated by a space; lists and maps are JSON. */
function printResults(results: Values): string {
  return results
    .map((value) => {
      if (value === null) return 'null'
      return value instanceof GoMap || value instanceof GoSlice ? encodeJson(value) : sprintValue(value)
    })
    .join(' ')
}

class PathWalk {
  /** Where the innermost `range` has its `end`, once found. */
  #ranges = 0

  run(nodes: readonly PathNode[], object: GoValue): readonly Values[] {
    const results: Values[] = []
    for (let at = 0; at < nodes.length; at++) {
      const node = nodes[at] as PathNode
      const word = keywordOf(node)
      if (word === 'end') {
        if (this.#ranges === 0) throw new JsonPathError('not in range, nothing to end')
        break
      }
      const found = this.#walk([object], node)
      if (word !== 'range') {
        results.push(found)
        continue
      }
      const end = endOfRange(nodes, at)
      this.#ranges++
      for (const value of found) results.push(...this.run(nodes.slice(at + 1, end), value))
      this.#ranges--
      at = end
    }
    return results
  }

  #walk(input: Values, node: PathNode): Values {
    switch (node.kind) {
      case 'list':
        return node.nodes.reduce((values, inner) => this.#walk(values, inner), input)
      case 'text':
        return [node.text]
      case 'field':
        return findField(input, node.name)
      case 'identifier':
        if (node.name !== 'range' && node.name !== 'end') throw new JsonPathError(`unrecognized identifier ${node.name}`)
        return input
      case 'array':
        return input.flatMap((value) => sliceArray(value, node))
      case 'filter':
        return input.flatMap((value) => this.#filter(value, node))
      case 'integer':
      case 'float':
      case 'bool':
        return input.map(() => node.value)
      case 'wildcard':
        return input.flatMap(childrenOf)
      case 'recursive':
        return descend(input)
      case 'union':
        return node.lists.flatMap((list) => this.#walk(input, list))
    }
  }

  #filter(value: GoValue, node: Extract<PathNode, { kind: 'filter' }>): Values {
    if (!(value instanceof GoSlice)) {
      throw new JsonPathError(`${sprintValue(value)} is not array or slice and cannot be filtered`)
    }
    if (node.operator === 'exists') return value.items.filter((item) => this.#exists(item, node.left))
    return value.items.filter((item) => {
      const left = this.#single(item, node.left)
      const right = left && this.#single(item, node.right)
      return left && right ? compare(left.value, node.operator, right.value) : false
    })
  }

  #exists(item: GoValue, list: PathList): boolean {
    try {
      return this.#walk([item], list).length > 0
    } catch (error) {
      // A path that is not there is what is being asked about.
      if (error instanceof JsonPathError) return false
      throw error
    }
  }

  #single(item: GoValue, list: PathList): { readonly value: GoValue } | undefined {
    const values = this.#walk([item], list)
    if (values.length > 1) throw new JsonPathError('can only compare one element at a time')
    const [value] = values
    return value === undefined ? undefined : { value }
  }
}

function keywordOf(node: PathNode): string | undefined {
  if (node.kind !== 'list') return undefined
  const word = node.nodes.find((inner) => inner.kind === 'identifier')
  return word?.kind === 'identifier' ? word.name : undefined
}

function endOfRange(nodes: readonly PathNode[], start: number): number {
  let depth = 0
  for (let at = start + 1; at < nodes.length; at++) {
    const word = keywordOf(nodes[at] as PathNode)
    if (word === 'range') depth++
    if (word === 'end' && depth-- === 0) return at
  }
  return nodes.length
}

/** Values that have no such field are passed over, unless none has it. */
function findField(input: Values, name: string): Values {
  if (input.length === 0) return []
  const found = input.flatMap((value) => {
    const entry = value instanceof GoMap ? value.entries.get(name) : undefined
    return entry === undefined ? [] : [entry]
  })
  if (found.length === 0) throw new JsonPathError(`${name} is not found`)
  return found
}

function sliceArray(value: GoValue, node: Extract<PathNode, { kind: 'array' }>): Values {
  if (value === null) return []
  if (!(value instanceof GoSlice)) throw new JsonPathError(`${typeOf(value).name} is not array or slice`)
  const { length } = value.items
  let from = node.from ?? 0
  if (from < 0) from += length
  let to = node.to ?? length
  if (to < 0 || (to === 0 && node.toDerived)) to += length
  if (from === to) return []
  if (from >= length || from < 0) throw outOfBounds(from, length)
  if (to > length || to < 0) throw outOfBounds(to - 1, length)
  if (from > to) throw new JsonPathError(`starting index ${from} is greater than ending index ${to}`)
  const step = node.step ?? 1
  if (step <= 0) throw new JsonPathError('step must be > 0')
  return value.items.slice(from, to).filter((_, at) => at % step === 0)
}

function outOfBounds(index: number, length: number): JsonPathError {
  return new JsonPathError(`array index out of bounds: index ${index}, length ${length}`)
}

function childrenOf(value: GoValue): Values {
  if (value instanceof GoSlice) return value.items
  // kubectl goes through maps in any order; sorted is one of them, and the same each time.
  return value instanceof GoMap ? sortedKeys(value).map((key) => value.entries.get(key) ?? null) : []
}

function descend(input: Values): Values {
  return input.flatMap((value) => {
    const children = childrenOf(value)
    return children.length === 0 ? [] : [value, ...descend(children)]
  })
}

function compare(left: GoValue, operator: string, right: GoValue): boolean {
  const a = left ?? undefined
  const b = right ?? undefined
  try {
    switch (operator) {
      case '==':
        return isEqual(a, [b])
      case '!=':
        return !isEqual(a, [b])
      case '<':
        return isLess(a, b)
      case '<=':
        return isLessOrEqual(a, b)
      case '>':
        return !isLessOrEqual(a, b)
      case '>=':
        return !isLess(a, b)
    }
  } catch (error) {
    if (error instanceof FunctionError) throw new JsonPathError(error.message.replace(/(for comparison):.*/, '$1'))
    throw error
  }
  throw new JsonPathError(`unrecognized filter operator ${operator}`)
}
