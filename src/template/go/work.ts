import { type Operand, valueIn } from './operand.ts'
import { GoBytes, GoMap, GoPointer, GoSlice, GoStruct, type GoValue } from './value.ts'

/** Functions that walk through all that is in their arguments, however deep. */
const deepFunctions = new Set(
  (
    'toJson toPrettyJson toString toStrings quote squote cat join sortAlpha print println printf html js urlquery ' +
    'deepCopy deepEqual has uniq without merge mergeOverwrite eq ne'
  ).split(' '),
)

/** Making a key takes up to seconds. */
const keyMakers = new Set(['genPrivateKey', 'genCA', 'genSelfSignedCert', 'genSignedCert'])
const stepsPerKey = 50_000

/** Characters of text, and items of a list or map, that count as one step of a rendering. */
const charactersPerStep = 64
const itemsPerStep = 16

/**
 * What a call costs in steps besides the one for itself, by the size of its arguments: a few steps must not move
 * gigabytes, and values may share parts, so that a small one can be endless to print. Stops counting beyond `most`.
 */
export function workOfCall(name: string, args: ReadonlyArray<Operand | null>, most: number): number {
  if (deepFunctions.has(name)) return workOfWalking(args.map(plain), most)
  let work = keyMakers.has(name) ? stepsPerKey : 0
  for (const arg of args) work += ownWork(plain(arg))
  return Math.floor(work)
}

function plain(arg: Operand | null): GoValue {
  return arg === null ? null : valueIn(arg)
}

/** The cost of writing a value out. */
export function workOfPrinting(value: GoValue, most: number): number {
  return typeof value === 'string' ? Math.floor(ownWork(value)) : workOfWalking([value], most)
}

/** The cost of walking through values to their ends. */
export function workOfWalking(values: readonly GoValue[], most: number): number {
  const waiting: GoValue[] = [...values]
  let work = 0
  for (let value = waiting.pop(); value !== undefined && work <= most; value = waiting.pop()) {
    work += ownWork(value)
    if (value instanceof GoSlice) waiting.push(...value.items)
    else if (value instanceof GoMap) waiting.push(...value.entries.values())
    else if (value instanceof GoStruct) waiting.push(...value.values)
    else if (value instanceof GoPointer) waiting.push(value.target)
  }
  return work > most ? most + 1 : Math.floor(work)
}

function ownWork(value: GoValue): number {
  if (typeof value === 'string') return value.length / charactersPerStep
  if (value instanceof GoSlice) return (value.items.length + 1) / itemsPerStep
  if (value instanceof GoMap) return (value.entries.size + 1) / itemsPerStep
  return value instanceof GoBytes ? value.bytes.length / charactersPerStep : 0
}
