import type { NumberNode } from './nodes.ts'
import { parseFloat64, parseInteger } from './parse-number.ts'
import type { Token } from './lexer.ts'
import { quote, unquoteChar } from './quote.ts'

/** Thrown for a literal that is no number; the parser adds the place. */
export class LiteralError extends Error {}

/** Reads a number, complex number or character constant as every kind of number that it can be. */
export function readNumber(token: Token): NumberNode {
  const { text, at } = token
  if (token.kind === 'char') return readCharacter(text, at)
  if (token.kind === 'complex') return readComplex(text, at)
  if (text.endsWith('i')) {
    const im = parseFloat64(text.slice(0, -1))
    if (im !== undefined) return complexNode(text, at, 0, im)
  }
  const whole = parseInteger(text)
  const integer = whole !== undefined && inInt64(whole) ? whole : undefined
  // A sign is no part of an unsigned literal, but -0 is.
  const unsigned = whole !== undefined && inUint64(whole) && (!/^[+-]/.test(text) || whole === 0n) ? whole : undefined
  if (integer !== undefined || unsigned !== undefined) {
    return node({ text, at, integer, unsigned, float: Number(integer ?? unsigned) })
  }
  return readFloat(text, at)
}

function readFloat(text: string, at: number): NumberNode {
  const float = parseFloat64(text)
  if (float === undefined) throw new LiteralError(`illegal number syntax: ${quote(text)}`)
  if (!/[.eEpP]/.test(text)) throw new LiteralError(`integer overflow: ${quote(text)}`)
  return node({ text, at, ...integersOf(float), float })
}

function readCharacter(text: string, at: number): NumberNode {
  const rune = unquoteChar(text)
  if (rune === 'syntax') throw new LiteralError('invalid syntax')
  if (rune === 'malformed') throw new LiteralError(`malformed character constant: ${text}`)
  return node({ text, at, integer: BigInt(rune), unsigned: BigInt(rune), float: rune })
}

function readComplex(text: string, at: number): NumberNode {
  // The sign between the parts: not the first character, nor behind an exponent.
  const hexadecimal = /^[+-]?0[xX]/.test(text)
  const split = text.search(hexadecimal ? /(?<!^)(?<![pP])[+-]/ : /(?<!^)(?<![eE])[+-]/)
  return complexNode(text, at, readPart(text.slice(0, split)), readPart(text.slice(split, -1)))
}

function readPart(text: string): number {
  const value = parseFloat64(text)
  if (value === undefined) throw new LiteralError(`strconv.ParseFloat: parsing ${quote(text)}: invalid syntax`)
  return value
}

function complexNode(text: string, at: number, re: number, im: number): NumberNode {
  const complex = { re, im }
  return im === 0 ? node({ text, at, complex, float: re, ...integersOf(re) }) : node({ text, at, complex })
}

function integersOf(float: number): { integer?: bigint | undefined; unsigned?: bigint | undefined } {
  if (!Number.isInteger(float)) return {}
  const whole = BigInt(float)
  return { integer: inInt64(whole) ? whole : undefined, unsigned: inUint64(whole) ? whole : undefined }
}

function node(parts: {
  text: string
  at: number
  integer?: bigint | undefined
  unsigned?: bigint | undefined
  float?: number
  complex?: { re: number; im: number }
}): NumberNode {
  const { text, at, integer, unsigned, float, complex } = parts
  return Object.freeze({
    kind: 'number',
    at,
    text,
    ...(integer === undefined ? {} : { integer }),
    ...(unsigned === undefined ? {} : { unsigned }),
    ...(float === undefined ? {} : { float }),
    ...(complex === undefined ? {} : { complex }),
  })
}

function inInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value
}

function inUint64(value: bigint): boolean {
  return BigInt.asUintN(64, value) === value
}
