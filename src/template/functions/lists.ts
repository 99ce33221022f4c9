import { any, anySlice, bool } from '../go/go-type.ts'
import { GoBytes, GoSlice, type GoValue, listOf } from '../go/value.ts'
import { deepEqual } from './deep-equal.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { isEmpty } from './is-empty.ts'
import { listItems } from './list-items.ts'
import { toInt64 } from './to-number.ts'

export const listFunctions: readonly TemplateFunction[] = [
  ...(['list', 'tuple'] as const).map((name) =>
    defineTemplateFunction({
      name,
      summary: 'A list of these values.',
      example: [`{{ ${name} 1 "a" }}`, '[1 a]'],
      params: [],
      variadic: any,
      result: anySlice,
      call: (_host, ...items) => listOf(items),
    }),
  ),
  ...(['append', 'push'] as const).map((name) =>
    defineTemplateFunction({
      name,
      summary: 'A new list with a value behind the items of another.',
      example: [`{{ ${name} (list 1 2) 3 }}`, '[1 2 3]'],
      params: [any, any],
      result: anySlice,
      call: (_host, list, item) => listOf([...listItems(list, (kind) => `Cannot push on type ${kind}`), item]),
    }),
  ),
  defineTemplateFunction({
    name: 'prepend',
    summary: 'A new list with a value before the items of another.',
    example: ['{{ prepend (list 1 2) 0 }}', '[0 1 2]'],
    params: [any, any],
    result: anySlice,
    call: (_host, list, item) => listOf([item, ...listItems(list, (kind) => `Cannot prepend on type ${kind}`)]),
  }),
  defineTemplateFunction({
    name: 'first',
    summary: 'The first item of a list; nil of an empty one.',
    example: ['{{ first (list 1 2) }}', '1'],
    params: [any],
    result: any,
    call: (_host, list) => listItems(list, finding('first'))[0] ?? null,
  }),
  defineTemplateFunction({
    name: 'last',
    summary: 'The last item of a list; nil of an empty one.',
    example: ['{{ last (list 1 2) }}', '2'],
    params: [any],
    result: any,
    call: (_host, list) => listItems(list, finding('last')).at(-1) ?? null,
  }),
  defineTemplateFunction({
    name: 'rest',
    summary: 'All items but the first.',
    example: ['{{ rest (list 1 2 3) }}', '[2 3]'],
    params: [any],
    result: anySlice,
    call: (_host, list) => nonEmpty(listItems(list, finding('rest')), (items) => items.slice(1)),
  }),
  defineTemplateFunction({
    name: 'initial',
    summary: 'All items but the last.',
    example: ['{{ initial (list 1 2 3) }}', '[1 2]'],
    params: [any],
    result: anySlice,
    call: (_host, list) => nonEmpty(listItems(list, finding('initial')), (items) => items.slice(0, -1)),
  }),
  defineTemplateFunction({
    name: 'reverse',
    summary: 'The items in opposite order.',
    example: ['{{ reverse (list 1 2 3) }}', '[3 2 1]'],
    params: [any],
    result: anySlice,
    call: (_host, list) => listOf(listItems(list, finding('reverse')).toReversed()),
  }),
  defineTemplateFunction({
    name: 'compact',
    summary: 'The items that are not empty.',
    example: ['{{ compact (list "a" "" "b") }}', '[a b]'],
    params: [any],
    result: anySlice,
    call: (_host, list) => listOf(listItems(list, (kind) => `Cannot compact on type ${kind}`).filter((item) => !isEmpty(item))),
  }),
  defineTemplateFunction({
    name: 'uniq',
    summary: 'Each item once.',
    example: ['{{ uniq (list 1 2 1) }}', '[1 2]'],
    params: [any],
    result: anySlice,
    call: (_host, list) => {
      const kept: GoValue[] = []
      for (const item of listItems(list, finding('uniq'))) if (!holds(kept, item)) kept.push(item)
      return listOf(kept)
    },
  }),
  defineTemplateFunction({
    name: 'without',
    summary: 'The items that are none of the given values.',
    example: ['{{ without (list 1 2 3) 2 }}', '[1 3]'],
    params: [any],
    variadic: any,
    result: anySlice,
    call: (_host, list, ...omitted) => listOf(listItems(list, finding('without')).filter((item) => !holds(omitted, item))),
  }),
  defineTemplateFunction({
    name: 'has',
    summary: 'Whether a value is in a list.',
    example: ['{{ has 2 (list 1 2 3) }}', 'true'],
    params: [any, any],
    result: bool,
    call: (_host, needle, list) => list !== null && holds(listItems(list, finding('has')), needle),
  }),
  defineTemplateFunction({
    name: 'slice',
    summary: 'Items from an index to another, without it. For lists only: it hides the `slice` that Go has for texts.',
    example: ['{{ slice (list 1 2 3) 1 3 }}', '[2 3]'],
    params: [any],
    variadic: any,
    result: any,
    call: (_host, list, ...indices) => {
      const items = listItems(list, (kind) => `list should be type of slice or array but ${kind}`)
      if (items.length === 0) return null
      const [start = 0n, end = BigInt(items.length)] = indices.map(toInt64)
      if (start < 0n || end < start || end > BigInt(items.length)) {
        throw new FunctionError('reflect.Value.Slice: slice index out of bounds')
      }
      return cut(list, Number(start), Number(end))
    },
  }),
  defineTemplateFunction({
    name: 'concat',
    summary: 'The items of several lists in one.',
    example: ['{{ concat (list 1) (list 2 3) }}', '[1 2 3]'],
    params: [],
    variadic: any,
    result: any,
    call: (_host, ...lists) => {
      const items = lists.flatMap((list) => listItems(list, (kind) => `Cannot concat type ${kind} as list`))
      return new GoSlice(anySlice, items.length === 0 ? undefined : items)
    },
  }),
]

function finding(what: string): (kind: string) => string {
  return (kind) => `Cannot find ${what} on type ${kind}`
}

/** Go gives a nil list for the rest of an empty one. */
function nonEmpty(items: readonly GoValue[], take: (items: readonly GoValue[]) => readonly GoValue[]): GoSlice {
  return new GoSlice(anySlice, items.length === 0 ? undefined : take(items))
}

function holds(items: readonly GoValue[], needle: GoValue): boolean {
  return items.some((item) => deepEqual(needle, item))
}

/** The type of the list stays. */
function cut(list: GoValue, start: number, end: number): GoValue {
  if (list instanceof GoBytes) return new GoBytes(list.bytes.subarray(start, end))
  return list instanceof GoSlice ? new GoSlice(list.type, list.items.slice(start, end)) : null
}
