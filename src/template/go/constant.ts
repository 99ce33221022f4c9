import type { Execution } from './execution.ts'
import { complex128, type GoType, isComplex, isFloat, isSigned, isUnsigned } from './go-type.ts'
import { type BoolNode, describeNode, type NumberNode, type StringNode } from './nodes.ts'
import type { Operand } from './operand.ts'
import { float, GoComplex, GoNamed, integer, text } from './value.ts'

type ConstantNode = BoolNode | NumberNode | StringNode

/** A literal where nothing says which type is wanted: int, float64, complex128, string or bool by its form. */
export function idealConstant(execution: Execution, node: ConstantNode): Operand {
  execution.at(node)
  if (node.kind === 'bool') return node.value
  if (node.kind === 'string') return node.text
  if (node.complex) return new GoComplex(complex128, node.complex.re, node.complex.im)
  if (node.float !== undefined && writtenAsFloat(node.text)) return node.float
  if (node.integer !== undefined) return node.integer
  throw execution.error(`${node.text} overflows int`)
}

function writtenAsFloat(source: string): boolean {
  if (source.startsWith("'")) return false
  const hexInteger = /^0[xX]/.test(source) && source.length > 2 && !/[pP]/.test(source)
  return !hexInteger && /[.eEpP]/.test(source)
}

/** A literal where a value of `type` is wanted. */
export function constantFor(execution: Execution, type: GoType, node: ConstantNode): Operand {
  execution.at(node)
  const value = ofType(type, node)
  if (value !== undefined) return value
  const wanted = nameOfWanted(type)
  if (wanted === undefined) throw execution.error(`can't handle ${describeNode(node)} for arg of type ${type.name}`)
  throw execution.error(`expected ${wanted}; found ${describeNode(node)}`)
}

function ofType(type: GoType, node: ConstantNode): Operand {
  if (node.kind === 'bool')
    return type.kind === 'bool' ? (type.name === 'bool' ? node.value : new GoNamed(type, node.value)) : undefined
  if (node.kind === 'string') return type.kind === 'string' ? (text(type, node.text) ?? undefined) : undefined
  if (isSigned(type.kind)) return node.integer === undefined ? undefined : (integer(type, node.integer) ?? undefined)
  if (isUnsigned(type.kind)) return node.unsigned === undefined ? undefined : (integer(type, node.unsigned) ?? undefined)
  if (isFloat(type.kind)) return node.float === undefined ? undefined : (float(type, node.float) ?? undefined)
  if (isComplex(type.kind)) return node.complex && new GoComplex(type, node.complex.re, node.complex.im)
  return undefined
}

function nameOfWanted(type: GoType): string | undefined {
  if (isSigned(type.kind)) return 'integer'
  if (isUnsigned(type.kind)) return 'unsigned integer'
  if (isFloat(type.kind)) return 'float'
  if (isComplex(type.kind)) return 'complex'
  return type.kind === 'string' || type.kind === 'bool' ? type.kind : undefined
}
