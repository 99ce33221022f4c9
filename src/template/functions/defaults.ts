import { any, bool, string } from '../go/go-type.ts'
import { encodeJson } from '../go/json-encode.ts'
import type { GoValue } from '../go/value.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { isEmpty } from './is-empty.ts'

export const defaultFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'default',
    summary: 'The second value, or the first when the second is empty.',
    example: ['{{ "" | default "none" }}', 'none'],
    params: [any],
    variadic: any,
    result: any,
    call: (_host, fallback, ...given) => (given.length === 0 || isEmpty(given[0] ?? null) ? fallback : (given[0] ?? null)),
  }),
  defineTemplateFunction({
    name: 'empty',
    summary: 'Whether a value is nil, false, 0 or has nothing in it.',
    example: ['{{ empty "" }}', 'true'],
    params: [any],
    result: bool,
    call: (_host, value) => isEmpty(value),
  }),
  defineTemplateFunction({
    name: 'coalesce',
    summary: 'The first value that is not empty; nil when all are.',
    example: ['{{ coalesce "" 0 "a" }}', 'a'],
    params: [],
    variadic: any,
    result: any,
    call: (_host, ...values) => values.find((value) => !isEmpty(value)) ?? null,
  }),
  defineTemplateFunction({
    name: 'ternary',
    summary: 'The first value if the last one is true, else the second.',
    example: ['{{ ternary "yes" "no" true }}', 'yes'],
    params: [any, any, bool],
    result: any,
    call: (_host, yes, no, condition) => (condition ? yes : no),
  }),
  defineTemplateFunction({
    name: 'toJson',
    summary: 'A value as JSON on one line; the empty text for what JSON cannot hold.',
    example: ['{{ toJson (list 1 "a") }}', '[1,"a"]'],
    params: [any],
    result: string,
    call: (_host, value) => jsonOrNothing(value),
  }),
  defineTemplateFunction({
    name: 'toPrettyJson',
    summary: 'A value as JSON over several lines.',
    example: ['{{ toPrettyJson (list 1) }}', '[\n  1\n]'],
    params: [any],
    result: string,
    call: (_host, value) => jsonOrNothing(value, '  '),
  }),
  defineTemplateFunction({
    name: 'fail',
    summary: 'Makes the template fail with a message.',
    params: [string],
    result: string,
    call: (_host, message) => {
      throw new FunctionError(message)
    },
  }),
  defineTemplateFunction({
    name: 'hello',
    summary: 'Says hello.',
    example: ['{{ hello }}', 'Hello!'],
    params: [],
    result: string,
    call: () => 'Hello!',
  }),
]

function jsonOrNothing(value: GoValue, indent?: string): string {
  try {
    return encodeJson(value, indent)
  } catch (error) {
    // sprig drops the error of what has no JSON, such as NaN.
    if (error instanceof FunctionError) return ''
    throw error
  }
}
