import { followContextPath } from './context-paths.ts'
import { paramType, type Signature } from './go/call.ts'
import { type GoType, isFloat, isInteger, sameType } from './go/go-type.ts'
import { anyOperand } from './go/operand.ts'
import type { KnownArgument, UsedFunction } from './template-uses.ts'

/** An argument that Go will refuse whatever the values are: a literal or a path of another type than the function takes. */
export function misfit(used: UsedFunction, fn: Signature): string | undefined {
  for (const [at, argument] of (used.args ?? []).entries()) {
    const wanted = paramType(fn, at)
    const got = argument && typeThatMisfits(argument, wanted)
    if (!argument || got === undefined) continue
    const advice = wanted.kind === 'string' && got === '[]uint8' ? '; bytes become text by toString' : ''
    return `wrong type for an argument of ${used.name}: ${argument.text} is of type ${got}, it takes ${wanted.name}${advice}`
  }
  return undefined
}

/** The type that the argument has instead of the one wanted; undefined where it fits, or may. */
function typeThatMisfits(argument: KnownArgument, wanted: GoType): string | undefined {
  if (wanted.kind === 'interface' || sameType(wanted, anyOperand)) return undefined
  if ('literal' in argument) return fitsLiteral(argument.literal, wanted) ? undefined : argument.literal
  const end = followContextPath(argument.path)
  const type = 'missingAt' in end ? undefined : end.type
  const got = type?.kind === 'ptr' ? type.elem : type
  if (!got || got.kind === 'interface' || got.kind === wanted.kind) return undefined
  return got.name
}

function fitsLiteral(literal: 'string' | 'integer' | 'float' | 'bool', wanted: GoType): boolean {
  switch (literal) {
    case 'integer':
      return isInteger(wanted.kind) || isFloat(wanted.kind)
    case 'float':
      return isFloat(wanted.kind)
    default:
      return wanted.kind === literal
  }
}
