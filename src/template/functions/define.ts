import type { GoType } from '../go/go-type.ts'
import type { GoValue } from '../go/value.ts'

/**
 * Declares one function of the template library. Both dialects call it through `callFunction` of go/call.ts, which
 * checks the arguments against `params` with Go's rules and texts ("wrong type for value; expected string; got int",
 * "wrong number of args for trunc: want 2 got 1") and hands over what TypeScript knows them as:
 *
 * | Go type of the parameter | the implementation gets, or returns |
 * | --- | --- |
 * | `string` | string |
 * | `bool` | boolean |
 * | any integer type | bigint (a result is wrapped to the width of the declared type) |
 * | any float type | number |
 * | `interface {}` and all else | the GoValue as it is (see go/value.ts) |
 *
 * A variadic last parameter (`variadic: string` is `...string`) arrives as the rest of the arguments.
 * To fail as a Go function does that returns an error or panics, throw `new FunctionError(text)`: the template fails with
 * `error calling NAME: text`. Anything else thrown is a defect of ours.
 */
export function defineTemplateFunction<
  const Params extends readonly GoType[],
  Variadic extends GoType | undefined = undefined,
  Result extends GoType = GoType,
>(declaration: TemplateFunctionDeclaration<Params, Variadic, Result>): TemplateFunction {
  const { call, ...rest } = declaration
  return Object.freeze({
    ...rest,
    // The caller has checked the arguments against `params`, which is what the declared parameter types say.
    call: call as unknown as TemplateFunction['call'],
  })
}

export interface TemplateFunctionDeclaration<
  Params extends readonly GoType[],
  Variadic extends GoType | undefined,
  Result extends GoType,
> {
  readonly name: string
  /** One sentence, for the reference page. */
  readonly summary: string
  /** A template and what it gives: `['{{ trunc 3 "hello" }}', 'hel']`. */
  readonly example?: readonly [template: string, output: string]
  readonly params: Params
  readonly variadic?: Variadic
  readonly result: Result
  readonly call: (host: TemplateHost, ...args: [...Natives<Params>, ...VariadicNatives<Variadic>]) => Native<Result>
}

/** A declared function, types erased: what registries and the evaluator hold. */
export interface TemplateFunction {
  readonly name: string
  readonly summary: string
  readonly example?: readonly [template: string, output: string]
  readonly params: readonly GoType[]
  readonly variadic?: GoType | undefined
  readonly result: GoType
  readonly call: (host: TemplateHost, ...args: readonly unknown[]) => unknown
}

/** Functions by name, for one rendering. */
export type FunctionLibrary = ReadonlyMap<string, TemplateFunction>

export type Native<T extends GoType> = T extends GoType<infer N> ? N : GoValue
type Natives<T extends readonly GoType[]> = { [K in keyof T]: Native<T[K]> }
type VariadicNatives<T extends GoType | undefined> = T extends GoType ? Native<T>[] : []

/** A failure inside of a function, as Go's returned errors and panics: `error calling NAME: message`. */
export class FunctionError extends Error {
  override readonly name = 'FunctionError'
}

/**
 * What functions may know of the world. Everything is handed in, so that a template gives the same result again when
 * a run is resumed, and reads nothing of the process around it.
 */
export interface TemplateHost {
  /** Nanoseconds since 1970, in UTC. */
  now(): bigint
  /** `count` random bytes; a run hands in a generator with a frozen seed. */
  randomBytes(count: number): Uint8Array
  /** What `env` and `expandenv` see; empty unless someone allows names. */
  readonly env: ReadonlyMap<string, string>
  /** `getHostByName`: an address of a name; the empty text where look-ups are not offered. */
  lookupHost(name: string): string
}

/** A host that knows nothing: time 0, zero bytes, no environment. For tests and for checking Blueprints. */
export const emptyHost: TemplateHost = Object.freeze({
  now: () => 0n,
  randomBytes: (count: number) => new Uint8Array(count),
  env: new Map<string, string>(),
  lookupHost: () => '',
})
