import { any, float64, int, int64, sliceOf, string } from '../go/go-type.ts'
import { sprintValue } from '../go/print.ts'
import { GoSlice } from '../go/value.ts'
import { checkItemCount } from './bounds.ts'
import { defineTemplateFunction, FunctionError, type TemplateFunction } from './define.ts'
import { atoi, parseInt64, toFloat64, toInt64 } from './to-number.ts'

const intSlice = sliceOf(int)

export const numberFunctions: readonly TemplateFunction[] = [
  defineTemplateFunction({
    name: 'atoi',
    summary: 'Text to an int; 0 for what is no number.',
    example: ['{{ atoi "42" }}', '42'],
    params: [string],
    result: int,
    call: (_host, text) => atoi(text),
  }),
  defineTemplateFunction({
    name: 'int',
    summary: 'Anything to an int: numbers are cut to their whole part, text is read in base 10, else 0.',
    example: ['{{ int "42" }} {{ int 3.9 }}', '42 3'],
    params: [any],
    result: int,
    call: (_host, value) => toInt64(value),
  }),
  defineTemplateFunction({
    name: 'int64',
    summary: 'Anything to an int64, as `int` does.',
    example: ['{{ int64 "42" }}', '42'],
    params: [any],
    result: int64,
    call: (_host, value) => toInt64(value),
  }),
  defineTemplateFunction({
    name: 'float64',
    summary: 'Anything to a float64; 0 for what is no number.',
    example: ['{{ float64 "1.5" }}', '1.5'],
    params: [any],
    result: float64,
    call: (_host, value) => toFloat64(value),
  }),
  defineTemplateFunction({
    name: 'toDecimal',
    summary: 'Digits of a Unix octal number, such as a file mode, to an int64.',
    example: ['{{ toDecimal "0777" }}', '511'],
    params: [any],
    result: int64,
    call: (_host, value) => parseInt64(sprintValue(value), 8) ?? 0n,
  }),
  defineTemplateFunction({
    name: 'add',
    summary: 'Sum of whole numbers.',
    example: ['{{ add 1 2 3 }}', '6'],
    params: [],
    variadic: any,
    result: int64,
    call: (_host, ...values) => values.reduce<bigint>((sum, value) => sum + toInt64(value), 0n),
  }),
  defineTemplateFunction({
    name: 'add1',
    summary: 'A whole number plus one.',
    example: ['{{ add1 41 }}', '42'],
    params: [any],
    result: int64,
    call: (_host, value) => toInt64(value) + 1n,
  }),
  defineTemplateFunction({
    name: 'sub',
    summary: 'The first whole number less the second.',
    example: ['{{ sub 5 2 }}', '3'],
    params: [any, any],
    result: int64,
    call: (_host, a, b) => toInt64(a) - toInt64(b),
  }),
  defineTemplateFunction({
    name: 'mul',
    summary: 'Product of whole numbers.',
    example: ['{{ mul 2 3 4 }}', '24'],
    params: [any],
    variadic: any,
    result: int64,
    call: (_host, first, ...more) =>
      more.reduce<bigint>((product, value) => BigInt.asIntN(64, product * toInt64(value)), toInt64(first)),
  }),
  defineTemplateFunction({
    name: 'div',
    summary: 'Whole part of the first number divided by the second.',
    example: ['{{ div 10 3 }}', '3'],
    params: [any, any],
    result: int64,
    call: (_host, a, b) => toInt64(a) / divisor(toInt64(b)),
  }),
  defineTemplateFunction({
    name: 'mod',
    summary: 'What is left when the first whole number is divided by the second.',
    example: ['{{ mod 10 3 }}', '1'],
    params: [any, any],
    result: int64,
    call: (_host, a, b) => toInt64(a) % divisor(toInt64(b)),
  }),
  ...(['max', 'biggest'] as const).map((name) =>
    defineTemplateFunction({
      name,
      summary: 'The largest of some whole numbers.',
      example: [`{{ ${name} 1 5 3 }}`, '5'],
      params: [any],
      variadic: any,
      result: int64,
      call: (_host, first, ...more) => more.map(toInt64).reduce((a, b) => (b > a ? b : a), toInt64(first)),
    }),
  ),
  defineTemplateFunction({
    name: 'min',
    summary: 'The smallest of some whole numbers.',
    example: ['{{ min 4 2 3 }}', '2'],
    params: [any],
    variadic: any,
    result: int64,
    call: (_host, first, ...more) => more.map(toInt64).reduce((a, b) => (b < a ? b : a), toInt64(first)),
  }),
  defineTemplateFunction({
    name: 'ceil',
    summary: 'The next whole number above, as a float64.',
    example: ['{{ ceil 1.2 }}', '2'],
    params: [any],
    result: float64,
    call: (_host, value) => Math.ceil(toFloat64(value)),
  }),
  defineTemplateFunction({
    name: 'floor',
    summary: 'The next whole number below, as a float64.',
    example: ['{{ floor 1.8 }}', '1'],
    params: [any],
    result: float64,
    call: (_host, value) => Math.floor(toFloat64(value)),
  }),
  defineTemplateFunction({
    name: 'round',
    summary: 'Rounds to some decimal places, up from .5 or from the third argument on.',
    example: ['{{ round 3.14159 2 }}', '3.14'],
    params: [any, int],
    variadic: float64,
    result: float64,
    call: (_host, value, places, roundOn = 0.5) => roundTo(toFloat64(value), places, roundOn),
  }),
  defineTemplateFunction({
    name: 'until',
    summary: 'The ints from 0 up to a number, or down to a negative one, without it.',
    example: ['{{ until 3 }}', '[0 1 2]'],
    params: [int],
    result: intSlice,
    call: (_host, count) => new GoSlice(intSlice, sequence(0n, count, count < 0n ? -1n : 1n)),
  }),
  defineTemplateFunction({
    name: 'untilStep',
    summary: 'The ints from a start towards a stop, without it, by a step.',
    example: ['{{ untilStep 0 10 4 }}', '[0 4 8]'],
    params: [int, int, int],
    result: intSlice,
    call: (_host, start, stop, step) => new GoSlice(intSlice, sequence(start, stop, step)),
  }),
]

function divisor(value: bigint): bigint {
  if (value === 0n) throw new FunctionError('runtime error: integer divide by zero')
  return value
}

/** A step in the wrong direction gives nothing. */
function sequence(start: bigint, stop: bigint, step: bigint): readonly bigint[] {
  if (stop < start ? step >= 0n : step <= 0n) return []
  const distance = stop < start ? start - stop : stop - start
  const stride = step < 0n ? -step : step
  checkItemCount((distance + stride - 1n) / stride)
  const items: bigint[] = []
  for (let at = start; stop < start ? at > stop : at < stop; at += step) items.push(at)
  return items
}

function roundTo(value: number, places: bigint, roundOn: number): number {
  const power = powerOfTen(places)
  const scaled = power * value
  const fraction = scaled - Math.trunc(scaled)
  return (fraction >= roundOn ? Math.ceil(scaled) : Math.floor(scaled)) / power
}

/**
 * 10**exponent by squaring a fraction and counting its power of two apart, which is how Go's math.Pow gets there: the
 * last bit of large powers must be the same as there.
 */
function powerOfTen(exponent: bigint): number {
  let rest = exponent < 0n ? -exponent : exponent
  if (rest > 400n) return exponent < 0n ? 0 : Infinity
  let factor = 0.625
  let factorBits = 4
  let result = 1
  let bits = 0
  for (; rest !== 0n; rest >>= 1n) {
    if (rest & 1n) {
      result *= factor
      bits += factorBits
    }
    factor *= factor
    factorBits *= 2
    if (factor < 0.5) {
      factor += factor
      factorBits--
    }
  }
  return exponent < 0n ? scaleByPowerOfTwo(1 / result, -bits) : scaleByPowerOfTwo(result, bits)
}

/** In two steps, since 2**bits alone may be beyond a float64. */
function scaleByPowerOfTwo(value: number, bits: number): number {
  const half = Math.trunc(bits / 2)
  return value * 2 ** half * 2 ** (bits - half)
}
