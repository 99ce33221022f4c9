import type { Execution } from './execution.ts'
import { type GoType, uint8 } from './go-type.ts'
import { fromPlace, type Operand } from './operand.ts'
import { sprint } from './print.ts'
import { sortedKeys } from './sorted-keys.ts'
import { GoBytes, GoFunc, GoMap, GoSlice, type GoValue, integer, integerIn, keyValue, typeOf } from './value.ts'

/** What `range` goes through, with the index or key of each item. Maps go in the order of their keys. */
export function rangeItems(
  execution: Execution,
  value: Exclude<GoValue, null> | undefined,
  variables: number,
): Iterable<readonly [Operand, Operand]> {
  if (value === undefined) return []
  if (value instanceof GoSlice) return sliceItems(value)
  if (value instanceof GoMap) return mapItems(value)
  if (value instanceof GoBytes) return byteItems(value)
  if (integerIn(value) !== undefined) {
    if (variables > 1) throw execution.error(`can't use ${sprint([value])} to iterate over more than one variable`)
    return numberItems(value)
  }
  if (value instanceof GoFunc) return functionItems(execution, value, variables)
  throw execution.error(`range can't iterate over ${sprint([value])}`)
}

function* sliceItems(slice: GoSlice): Generator<readonly [Operand, Operand]> {
  const elem = slice.type.elem as GoType
  let at = 0n
  for (const item of slice.items) yield [at++, fromPlace(elem, item)]
}

function* mapItems(map: GoMap): Generator<readonly [Operand, Operand]> {
  const elem = map.type.elem as GoType
  for (const [key, item] of sortedKeys(map).map((key) => [key, map.entries.get(key) ?? null] as const)) {
    yield [keyValue(map, key) ?? undefined, fromPlace(elem, item)]
  }
}

function* byteItems(value: GoBytes): Generator<readonly [Operand, Operand]> {
  let at = 0n
  for (const byte of value.bytes) yield [at++, fromPlace(uint8, integer(uint8, BigInt(byte)))]
}

function* numberItems(value: Exclude<GoValue, null>): Generator<readonly [Operand, Operand]> {
  const type = typeOf(value)
  const end = integerIn(value) ?? 0n
  for (let at = 0n; at < end; at++) yield [undefined, integer(type, at) ?? undefined]
}

/** A Go iterator: a function that takes `yield`. Collected first, up to the limit of steps. */
function functionItems(execution: Execution, fn: GoFunc, variables: number): Iterable<readonly [Operand, Operand]> {
  const [callback] = fn.params
  if (fn.params.length !== 1 || callback?.kind !== 'func') throw execution.error(`range can't iterate over ${sprint([fn])}`)
  const items: Array<readonly [Operand, Operand]> = []
  const collect = new GoFunc([], true, (args) => {
    execution.step()
    const [first = null, second] = args
    if (second === undefined || variables < 2) items.push([undefined, first ?? undefined])
    else items.push([first ?? undefined, second ?? undefined])
    return true
  })
  fn.invoke([collect])
  return items
}
