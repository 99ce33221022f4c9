import type { PhaseFunction } from '../functions/define.ts'
import { getFunction, phaseFunctions } from '../functions/registry.ts'
import { removedFunctions } from '../functions/removed.ts'
import { messageOf } from '../base/errors.ts'
import { nearestNames } from '../template/nearest.ts'
import { kanisterFunctions } from './kanister-functions.ts'

/** What lint needs to know of a phase function. */
export type KnownFunction = Pick<
  PhaseFunction,
  'name' | 'args' | 'aliases' | 'positional' | 'outputs' | 'reportsMarkers' | 'rendersItself' | 'checkArgs'
>

export interface FoundFunction {
  /** Undefined when nobody has it. */
  readonly fn?: KnownFunction
  /** It can run here. */
  readonly isOffered: boolean
  /** Why not, and the way out. */
  readonly message?: string
}

/** A function by the name in `func:`. Those of Kanister that this engine lacks are known by their arguments and outputs. */
export function lookUpFunction(name: string): FoundFunction {
  const offered = phaseFunctions.find((candidate) => candidate.name === name)
  if (offered) return { fn: offered, isOffered: true }
  const known = kanisterFunctions.find((candidate) => candidate.name === name)
  if (known)
    return { fn: known, isOffered: false, message: `${name} is a function of Kanister that this engine does not offer yet` }
  return { isOffered: false, message: whyNot(name) }
}

function whyNot(name: string): string {
  const names = [...phaseFunctions, ...kanisterFunctions].map((fn) => fn.name)
  const near = Object.hasOwn(removedFunctions, name) ? [] : nearestNames(name, names, 1)
  if (near.length > 0) return `there is no function "${name}"; did you mean ${near[0]}? Case matters`
  try {
    getFunction(name)
    return ''
  } catch (error) {
    return messageOf(error)
  }
}
