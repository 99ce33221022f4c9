import { type ServedProcess, processStates } from '../../../cli/kando/process/processes.ts'

// The messages of process-service.proto as bytes. By hand, since they are six with two types of field, and since a library would read the
// field `output` as text: what a command prints need not be UTF-8, and must arrive as it was.

export interface Codec<T> {
  readonly encode: (message: T) => Buffer
  /** Throws for what is no message; fields that are unknown are passed over. */
  readonly decode: (bytes: Buffer) => T
}

export interface CreateProcessRequest {
  readonly name: string
  readonly args: readonly string[]
}

export interface ProcessPidRequest {
  readonly pid: number
}

export interface SignalProcessRequest {
  readonly pid: number
  readonly signal: number
}

export const createProcessRequest: Codec<CreateProcessRequest> = {
  encode: ({ name, args }) => Buffer.concat([textField(1, name), ...args.map((arg) => bytesField(2, Buffer.from(arg)))]),
  decode: (bytes) => {
    const fields = readFields(bytes)
    return {
      name: textOf(fields, 1),
      args: fields.filter(({ number }) => number === 2).map(({ value }) => bytesOf(value).toString()),
    }
  },
}

export const processPidRequest: Codec<ProcessPidRequest> = {
  encode: ({ pid }) => integerField(1, pid),
  decode: (bytes) => ({ pid: integerOf(readFields(bytes), 1) }),
}

export const signalProcessRequest: Codec<SignalProcessRequest> = {
  encode: ({ pid, signal }) => Buffer.concat([integerField(1, pid), integerField(2, signal)]),
  decode: (bytes) => {
    const fields = readFields(bytes)
    return { pid: integerOf(fields, 1), signal: integerOf(fields, 2) }
  },
}

export const listProcessesRequest: Codec<object> = { encode: () => Buffer.alloc(0), decode: () => ({}) }

export const processMessage: Codec<ServedProcess> = {
  encode: ({ pid, state, exitCode, exitErr }) =>
    Buffer.concat([
      integerField(1, pid),
      integerField(2, processStates.indexOf(state)),
      integerField(3, exitCode),
      textField(4, exitErr),
    ]),
  decode: (bytes) => {
    const fields = readFields(bytes)
    return {
      pid: integerOf(fields, 1),
      state: processStates[integerOf(fields, 2)] ?? 'PROCESS_STATE_UNSPECIFIED',
      exitCode: integerOf(fields, 3),
      exitErr: textOf(fields, 4),
    }
  },
}

export const outputMessage: Codec<Uint8Array> = {
  encode: (output) => (output.length === 0 ? Buffer.alloc(0) : bytesField(1, output)),
  decode: (bytes) => bytesOf(lastOf(readFields(bytes), 1) ?? Buffer.alloc(0)),
}

// A field is a tag (its number and how its value is written), then the value. Fields with the value zero are left out.

const varint = 0
const eightBytes = 1
const lengthAndBytes = 2
const fourBytes = 5

function integerField(number: number, value: number): Buffer {
  if (value === 0) return Buffer.alloc(0)
  // Below zero an integer takes all its 64 bits.
  return Buffer.concat([writeVarint(BigInt((number << 3) | varint)), writeVarint(BigInt.asUintN(64, BigInt(value)))])
}

function textField(number: number, value: string): Buffer {
  return value === '' ? Buffer.alloc(0) : bytesField(number, Buffer.from(value))
}

function bytesField(number: number, value: Uint8Array): Buffer {
  return Buffer.concat([writeVarint(BigInt((number << 3) | lengthAndBytes)), writeVarint(BigInt(value.length)), value])
}

function writeVarint(value: bigint): Buffer {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return Buffer.from(bytes)
}

interface Field {
  readonly number: number
  readonly value: bigint | Buffer
}

function readFields(bytes: Buffer): Field[] {
  const fields: Field[] = []
  let at = 0
  while (at < bytes.length) {
    const tag = readVarint(bytes, at)
    const number = Number(tag.value >> 3n)
    const { value, end } = readValue(bytes, tag.end, Number(tag.value & 7n))
    fields.push({ number, value })
    at = end
  }
  return fields
}

function readValue(bytes: Buffer, at: number, type: number): { readonly value: bigint | Buffer; readonly end: number } {
  if (type === varint) return readVarint(bytes, at)
  const length = type === lengthAndBytes ? readVarint(bytes, at) : { value: BigInt(fixedLength(type)), end: at }
  const end = length.end + Number(length.value)
  if (end > bytes.length) throw new Error('a message is cut off')
  return { value: bytes.subarray(length.end, end), end }
}

function fixedLength(type: number): number {
  if (type === eightBytes) return 8
  if (type === fourBytes) return 4
  throw new Error(`a message has a field of the unknown type ${type}`)
}

function readVarint(bytes: Buffer, start: number): { readonly value: bigint; readonly end: number } {
  let value = 0n
  for (let at = start; at < start + 10; at++) {
    const byte = bytes[at]
    if (byte === undefined) throw new Error('a message is cut off')
    value |= BigInt(byte & 0x7f) << BigInt(7 * (at - start))
    if (byte < 0x80) return { value: BigInt.asUintN(64, value), end: at + 1 }
  }
  throw new Error('a message has a number of more than 64 bits')
}

/** A field that is there twice counts as it is the last time. */
function lastOf(fields: readonly Field[], number: number): Field['value'] | undefined {
  return fields.findLast((field) => field.number === number)?.value
}

function integerOf(fields: readonly Field[], number: number): number {
  const value = lastOf(fields, number) ?? 0n
  if (typeof value !== 'bigint') throw new Error(`field ${number} of a message is not a number`)
  return Number(BigInt.asIntN(64, value))
}

function textOf(fields: readonly Field[], number: number): string {
  return bytesOf(lastOf(fields, number) ?? Buffer.alloc(0)).toString()
}

function bytesOf(value: Field['value']): Buffer {
  if (typeof value === 'bigint') throw new Error('a field of a message is a number where bytes are expected')
  return value
}
