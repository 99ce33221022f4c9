import { Value } from 'typebox/value'
import type { Static, TSchema } from './build.ts'

/** One thing that is wrong with a value: `at` is a dotted path (`spec.actions[0].name`), empty for the value itself. */
export interface Finding {
  readonly at: string
  readonly message: string
}

/** Everything in `value` that does not fit `schema`; an empty list means that it is a `Static<S>`. */
export function check<S extends TSchema>(schema: S, value: unknown): Finding[] {
  if (Value.Check(schema, value)) return []
  return Value.Errors(schema, value).map((error) => ({ at: dotted(error.instancePath), message: error.message }))
}

/** Narrows by the schema. */
export function fits<S extends TSchema>(schema: S, value: unknown): value is Static<S> {
  return Value.Check(schema, value)
}

function dotted(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`), '')
}
