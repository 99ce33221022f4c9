import { any, bool, string } from '../go/go-type.ts'
import { type GoValue, typeOf } from '../go/value.ts'
import { deepEqual } from './deep-equal.ts'
import { defineTemplateFunction, type TemplateFunction } from './define.ts'
import { kindOf } from './kind.ts'

export const reflectionFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'typeOf',
    summary: 'The name of the Go type of a value.',
    example: ['{{ typeOf 1 }}', 'int'],
    params: [any],
    result: string,
    call: (_host, value) => typeName(value),
  }),
  defineTemplateFunction({
    name: 'typeIs',
    summary: 'Whether a value is of the Go type of this name.',
    example: ['{{ typeIs "string" "x" }}', 'true'],
    params: [string, any],
    result: bool,
    call: (_host, target, value) => target === typeName(value),
  }),
  defineTemplateFunction({
    name: 'typeIsLike',
    summary: 'As `typeIs`, for pointers to the type too.',
    example: ['{{ typeIsLike "semver.Version" (semver "1.2.3") }}', 'true'],
    params: [string, any],
    result: bool,
    call: (_host, target, value) => target === typeName(value) || `*${target}` === typeName(value),
  }),
  defineTemplateFunction({
    name: 'kindOf',
    summary: 'The kind of a value: string, int, map, slice, struct, ptr …',
    example: ['{{ kindOf (list 1) }}', 'slice'],
    params: [any],
    result: string,
    call: (_host, value) => kindOf(value),
  }),
  defineTemplateFunction({
    name: 'kindIs',
    summary: 'Whether a value is of this kind.',
    example: ['{{ kindIs "map" (dict) }}', 'true'],
    params: [string, any],
    result: bool,
    call: (_host, target, value) => target === kindOf(value),
  }),
  defineTemplateFunction({
    name: 'deepEqual',
    summary: 'Whether two values are equal in type and content.',
    example: ['{{ deepEqual (list 1 2) (list 1 2) }}', 'true'],
    params: [any, any],
    result: bool,
    call: (_host, a, b) => deepEqual(a, b),
  }),
]

function typeName(value: GoValue): string {
  return value === null ? '<nil>' : typeOf(value).name
}
