import { repositoryError } from '../errors.ts'
import type { ExtendedAttribute } from '../format/node.ts'
import type { Nanos } from '../format/go-time.ts'

/** Records of a pax header: what overrides the fields of the entry that follows. Values are bytes. */
export type PaxRecords = ReadonlyArray<readonly [key: string, value: Buffer]>

/** `length key=value\n`, one after the other. */
export function parsePax(body: Buffer): PaxRecords {
  const records: Array<readonly [string, Buffer]> = []
  for (let at = 0; at < body.length && body[at] !== 0;) {
    const space = body.indexOf(0x20, at)
    const length = space < 0 ? Number.NaN : Number(body.toString('latin1', at, space))
    const equals = body.indexOf(0x3d, space)
    const end = at + length
    if (!Number.isInteger(length) || end > body.length || equals < 0 || equals >= end || body[end - 1] !== 0x0a) {
      throw repositoryError('REPOSITORY_BAD_TAR', 'the tar stream holds a pax header that cannot be read; it is damaged')
    }
    records.push([body.toString('utf8', space + 1, equals), Buffer.from(body.subarray(equals + 1, end - 1))])
    at = end
  }
  return records
}

/** The last one counts. */
export function paxValue(records: PaxRecords, key: string): Buffer | undefined {
  return records.findLast(([name]) => name === key)?.[1]
}

export function paxNumber(records: PaxRecords, key: string): number | undefined {
  const text = paxValue(records, key)?.toString()
  return text && /^-?\d+$/.test(text) ? Number(text) : undefined
}

/** `seconds.fraction`, to the nanosecond. */
export function paxTime(records: PaxRecords, key: string): Nanos | undefined {
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(paxValue(records, key)?.toString() ?? '')
  if (!match) return undefined
  const [, sign, seconds = '0', fraction = ''] = match
  const nanos = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'))
  return sign === '-' ? -nanos : nanos
}

const attributePrefix = 'SCHILY.xattr.'

export function paxAttributes(records: PaxRecords): ExtendedAttribute[] {
  return records.flatMap(([key, value]) =>
    key.startsWith(attributePrefix) ? [{ name: key.slice(attributePrefix.length), value }] : [],
  )
}

export function renderPax(records: PaxRecords): Buffer {
  return Buffer.concat(records.map(([key, value]) => renderRecord(key, value)))
}

export function renderAttributeKey(name: string): string {
  return attributePrefix + name
}

/** A record's length counts its own digits. */
function renderRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return Buffer.concat([Buffer.from(String(length)), rest])
}
