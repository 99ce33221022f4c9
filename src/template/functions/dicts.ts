import { any, anyMap, anySlice, bool, string, stringSlice } from '../go/go-type.ts'
import { isExported } from '../go/members.ts'
import { sortedKeys } from '../go/sorted-keys.ts'
import {
  dictOf,
  type GoKey,
  GoMap,
  GoSlice,
  GoStruct,
  GoPointer,
  type GoValue,
  listOf,
  stringsOf,
  zeroOf,
} from '../go/value.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { mergeInto } from './merge.ts'
import { textOf } from './text-of.ts'

export const dictFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'dict',
    summary: 'A dictionary of keys and values in turn; a last key without a value gets the empty text.',
    example: ['{{ dict "a" 1 "b" 2 | toJson }}', '{"a":1,"b":2}'],
    params: [],
    variadic: any,
    result: anyMap,
    call: (_host, ...items) => {
      const entries: Array<readonly [string, GoValue]> = []
      for (let at = 0; at < items.length; at += 2) {
        entries.push([textOf(items[at] ?? null), at + 1 < items.length ? (items[at + 1] ?? null) : ''])
      }
      return dictOf(entries)
    },
  }),
  defineTemplateFunction({
    name: 'set',
    summary: 'Puts a value into a dictionary, changing it, and gives the dictionary.',
    example: ['{{ set (dict "a" 1) "b" 2 | toJson }}', '{"a":1,"b":2}'],
    params: [anyMap, string, any],
    result: anyMap,
    call: (_host, map, key, value) => {
      if (map.isNil) throw new FunctionError('assignment to entry in nil map')
      map.entries.set(key, value)
      return map
    },
  }),
  defineTemplateFunction({
    name: 'unset',
    summary: 'Removes a key from a dictionary, changing it, and gives the dictionary.',
    example: ['{{ unset (dict "a" 1 "b" 2) "a" | toJson }}', '{"b":2}'],
    params: [anyMap, string],
    result: anyMap,
    call: (_host, map, key) => {
      map.entries.delete(key)
      return map
    },
  }),
  defineTemplateFunction({
    name: 'hasKey',
    summary: 'Whether a dictionary has a key.',
    example: ['{{ hasKey (dict "a" 1) "a" }}', 'true'],
    params: [anyMap, string],
    result: bool,
    call: (_host, map, key) => map.entries.has(key),
  }),
  defineTemplateFunction({
    name: 'pluck',
    summary: 'The values that some dictionaries have under a key.',
    example: ['{{ pluck "a" (dict "a" 1) (dict "b" 2) (dict "a" 3) }}', '[1 3]'],
    params: [string],
    variadic: anyMap,
    result: anySlice,
    call: (_host, key, ...maps) =>
      listOf(maps.filter((map) => map.entries.has(key)).map((map) => map.entries.get(key) ?? null)),
  }),
  defineTemplateFunction({
    name: 'keys',
    summary: 'The keys of dictionaries, sorted (Go gives them in random order).',
    example: ['{{ keys (dict "b" 1 "a" 2) }}', '[a b]'],
    params: [],
    variadic: anyMap,
    result: stringSlice,
    call: (_host, ...maps) => stringsOf(maps.flatMap((map) => sortedKeys(map).map(String))),
  }),
  defineTemplateFunction({
    name: 'values',
    summary: 'The values of a dictionary, in the order of their keys.',
    example: ['{{ values (dict "b" 1 "a" 2) }}', '[2 1]'],
    params: [anyMap],
    result: anySlice,
    call: (_host, map) => listOf(sortedKeys(map).map((key) => map.entries.get(key) ?? null)),
  }),
  defineTemplateFunction({
    name: 'pick',
    summary: 'A new dictionary with these keys only.',
    example: ['{{ pick (dict "a" 1 "b" 2) "a" | toJson }}', '{"a":1}'],
    params: [anyMap],
    variadic: string,
    result: anyMap,
    call: (_host, map, ...keys) =>
      dictOf(keys.filter((key) => map.entries.has(key)).map((key) => [key, map.entries.get(key) ?? null] as const)),
  }),
  defineTemplateFunction({
    name: 'omit',
    summary: 'A new dictionary without these keys.',
    example: ['{{ omit (dict "a" 1 "b" 2) "a" | toJson }}', '{"b":2}'],
    params: [anyMap],
    variadic: string,
    result: anyMap,
    call: (_host, map, ...keys) =>
      new GoMap(anyMap, new Map([...map.entries].filter(([key]) => !(keys as readonly GoKey[]).includes(key)))),
  }),
  defineTemplateFunction({
    name: 'merge',
    summary: 'Adds what the first dictionary lacks from the others, changing it.',
    example: ['{{ merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson }}', '{"a":1,"b":3}'],
    params: [anyMap],
    variadic: anyMap,
    result: any,
    call: (_host, target, ...sources) => merged(target, sources, false),
  }),
  defineTemplateFunction({
    name: 'mergeOverwrite',
    summary: 'Adds the others to the first dictionary, changing it; the last one wins.',
    example: ['{{ mergeOverwrite (dict "a" 1) (dict "a" 2 "b" 3) | toJson }}', '{"a":2,"b":3}'],
    params: [anyMap],
    variadic: anyMap,
    result: any,
    call: (_host, target, ...sources) => merged(target, sources, true),
  }),
  defineTemplateFunction({
    name: 'deepCopy',
    summary: 'A copy that shares nothing with the original.',
    example: ['{{ deepCopy (dict "a" (list 1 2)) | toJson }}', '{"a":[1,2]}'],
    params: [any],
    result: any,
    call: (_host, value) => {
      if (value === null) throw new FunctionError('reflect: call of reflect.Value.Type on zero Value')
      return copyOf(value)
    },
  }),
]

function merged(target: GoMap, sources: readonly GoMap[], overwrite: boolean): GoMap {
  const result = target.isNil && sources.some((source) => !source.isNil) ? new GoMap(anyMap, new Map()) : target
  for (const source of sources) mergeInto(result, source, overwrite)
  return result
}

function copyOf(value: GoValue): GoValue {
  if (value instanceof GoMap) {
    return new GoMap(
      value.type,
      value.isNil ? undefined : new Map([...value.entries].map(([key, item]) => [key, copyOf(item)])),
    )
  }
  if (value instanceof GoSlice) return new GoSlice(value.type, value.isNil ? undefined : value.items.map(copyOf))
  if (value instanceof GoStruct) return copyOfStruct(value)
  if (value instanceof GoPointer) return new GoPointer(value.type, copyOf(value.target))
  return value
}

/** What Go does not export is not copied. */
function copyOfStruct(struct: GoStruct): GoStruct {
  const fields = struct.type.fields ?? []
  const copies = fields.map((field, at) => (isExported(field.name) ? copyOf(struct.values[at] ?? null) : zeroOf(field.type)))
  return new GoStruct(struct.type, copies)
}
