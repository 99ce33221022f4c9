import { fc } from '../../build/properties.ts'
import { describe, expect, it } from 'vitest'
import { ChannelReader } from '../../../src/kube/channel-reader.ts'

interface Frame {
  readonly code: number
  readonly final: boolean
  readonly payload: Buffer
}

function encode({ code, final, payload }: Frame): Buffer {
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10)
  head[0] = (final ? 0x80 : 0) | code
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127
  if (head.length === 4) head.writeUInt16BE(length, 2)
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

function readAll(chunks: readonly Buffer[]): string[] {
  const heard: string[] = []
  let message = ''
  const reader = new ChannelReader({
    onData(channel, bytes, last) {
      message += bytes.toString('latin1')
      if (!last) return
      heard.push(`${channel}:${message}`)
      message = ''
    },
    onPing: (payload) => heard.push(`ping ${payload.toString('latin1')}`),
    onPong: (payload) => heard.push(`pong ${payload.toString('latin1')}`),
    onClose: (code) => heard.push(`close ${code}`),
  })
  for (const chunk of chunks) reader.push(chunk)
  return heard
}

function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((each) => each % (bytes.length + 1)))].toSorted((a, b) => a - b)
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length))
}

describe('the reader of channel messages', () => {
  it('finds every message whole and in order, however its bytes and frames are cut', () => {
    const message = fc.record({
      channel: fc.constantFrom(1, 2, 3, 255),
      body: fc.oneof(
        fc.string({ maxLength: 20 }),
        fc.integer({ min: 100, max: 70_000 }).map((size) => 'x'.repeat(size)),
      ),
      frames: fc.integer({ min: 1, max: 4 }),
    })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), fc.array(fc.nat(400_000), { maxLength: 30 }), (messages, cuts) => {
        const frames = messages.flatMap(({ channel, body, frames: count }) => {
          const bytes = Buffer.from(`${String.fromCharCode(channel)}${body}`, 'latin1')
          const size = Math.ceil(bytes.length / count)
          return Array.from({ length: count }, (_, i) => ({
            code: i === 0 ? 2 : 0,
            final: i === count - 1,
            payload: bytes.subarray(i * size, (i + 1) * size),
          }))
        })

        expect(readAll(cut(Buffer.concat(frames.map(encode)), cuts))).toEqual(
          messages.map(({ channel, body }) => `${channel}:${Buffer.from(body, 'latin1').toString('latin1')}`),
        )
      }),
    )
  })

  it('hears control frames between the frames of a message', () => {
    const frames = [
      { code: 2, final: false, payload: Buffer.from('\x01ab') },
      { code: 9, final: true, payload: Buffer.from('are you there') },
      { code: 10, final: true, payload: Buffer.from('7') },
      { code: 0, final: true, payload: Buffer.from('cd') },
      { code: 2, final: true, payload: Buffer.alloc(0) },
      { code: 8, final: true, payload: Buffer.from([3, 232]) },
    ]
    const bytes = Buffer.concat(frames.map(encode))

    const expected = ['ping are you there', 'pong 7', '1:abcd', 'close 1000']
    expect(readAll([bytes])).toEqual(expected)
    expect(readAll(Array.from(bytes, (byte) => Buffer.from([byte])))).toEqual(expected)
  })

  it('refuses what no server may send', () => {
    expect(() => readAll([Buffer.from([0xc2, 1, 1])])).toThrow('not allowed')
    expect(() => readAll([Buffer.from([0x82, 0x81, 0, 0, 0, 0, 1])])).toThrow('not allowed')
    expect(() => readAll([Buffer.from([0x89, 126, 0, 200])])).toThrow('too long')
  })
})
