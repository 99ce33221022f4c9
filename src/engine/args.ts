import { decodeWeak } from '../schema/weak.ts'
import type { TObject, TSchema } from '../schema/build.ts'
import type { PhaseFunction } from '../functions/define.ts'
import { runError } from './errors.ts'

export type NamedArgs = Readonly<Record<string, unknown>>

/** What of a function says which arguments it takes; lint knows it of functions that this engine does not offer, too. */
export type DeclaredArgs = Pick<PhaseFunction, 'name' | 'args' | 'aliases' | 'positional'>

/**
 * Arguments as a Blueprint may write them, by name: a map; nothing at all; or the positional list of 2018, for functions that
 * declare an order. `null` is absent, other spellings are the names they stand for.
 */
export function nameArgs(fn: DeclaredArgs, raw: unknown): { readonly named: NamedArgs; readonly faults: readonly string[] } {
  if (raw === undefined || raw === null) return { named: {}, faults: [] }
  if (Array.isArray(raw)) return namePositional(fn, raw)
  if (typeof raw !== 'object') return { named: {}, faults: [`Args of function ${fn.name} must be a map of names to values`] }
  const given = Object.entries(raw).filter(([, value]) => value !== null && value !== undefined)
  return { named: Object.fromEntries(given.map(([name, value]) => [fn.aliases?.[name] ?? name, value])), faults: [] }
}

function namePositional(fn: DeclaredArgs, values: readonly unknown[]): ReturnType<typeof nameArgs> {
  const order = fn.positional
  if (!order) return { named: {}, faults: [`Function ${fn.name} takes its args by name, not as a list`] }
  if (order.at(-1) !== undefined && values.length > order.length) {
    // The last argument takes the rest: a command was written as the tail of the list.
    const head = order.slice(0, -1).map((name, index) => [name, values[index]] as const)
    return nameArgs(fn, Object.fromEntries([...head, [order.at(-1), values.slice(order.length - 1)]]))
  }
  return nameArgs(fn, Object.fromEntries(values.map((value, index) => [order[index], value])))
}

/** What is wrong with the names alone, in Kanister's words and order: first what is missing, then what is not known. */
export function checkArgNames(fn: DeclaredArgs, named: NamedArgs): string[] {
  const known = Object.keys(propertiesOf(fn))
  const unknown = Object.keys(named).filter((name) => !known.includes(name))
  return [
    ...missingArgs(fn, named).map((name) => `Required args missing for function ${fn.name}: Required arg missing: ${name}`),
    ...unknown.map(
      (name) =>
        `Checking supported args for function ${fn.name}.: argument ${name} is not supported; it takes ${known.join(', ')}`,
    ),
  ]
}

/** Required arguments that are not given and have no default. */
export function missingArgs(fn: DeclaredArgs, named: NamedArgs): string[] {
  const required = (fn.args as TObject & { readonly required?: readonly string[] }).required ?? []
  return required.filter((name) => !(name in named) && (propertiesOf(fn)[name] as { default?: unknown }).default === undefined)
}

/** What is wrong with values that hold no template and so are known before anything runs. */
export function checkFixedArgs(fn: DeclaredArgs, named: NamedArgs): string[] {
  const properties = propertiesOf(fn)
  return Object.entries(named).flatMap(([name, value]) => {
    const schema = properties[name]
    if (!schema || holdsTemplate(value)) return []
    const single = { type: 'object', properties: { [name]: schema } } as unknown as TObject
    return decodeWeak(single, { [name]: value }).findings.map(
      (finding) => `Failed to decode arg \`${name}\` of function ${fn.name}: ${finding.at} ${finding.message}`,
    )
  })
}

/** Rendered arguments → what the function wants. Throws RUN_BAD_ARGS with everything that is wrong. */
export function decodeArgs(fn: PhaseFunction, named: NamedArgs): Record<string, unknown> {
  const names = checkArgNames(fn, named)
  if (names.length > 0) throw runError('RUN_BAD_ARGS', names.join('; '))
  const { value, findings } = decodeWeak(fn.args, named)
  if (findings.length > 0) {
    const texts = findings.map((finding) => `Failed to decode arg \`${finding.at}\` of function ${fn.name}: ${finding.message}`)
    throw runError('RUN_BAD_ARGS', texts.join('; '))
  }
  const across = fn.checkArgs?.(value) ?? []
  if (across.length > 0) throw runError('RUN_BAD_ARGS', `Args of function ${fn.name}: ${across.join('; ')}`)
  return value as Record<string, unknown>
}

function propertiesOf(fn: DeclaredArgs): Readonly<Record<string, TSchema>> {
  return fn.args.properties
}

export function holdsTemplate(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('{{')
  if (Array.isArray(value)) return value.some(holdsTemplate)
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).some(([key, inner]) => key.includes('{{') || holdsTemplate(inner))
  return false
}
