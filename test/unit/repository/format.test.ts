import { describe, expect, test } from 'vitest'
import { parseConfig, renderConfig } from '../../../src/repository/format/config-file.ts'
import { unwrapEnvelope, wrapEnvelope } from '../../../src/repository/format/envelope.ts'
import { sha256Hex } from '../../../src/repository/format/ids.ts'
import { parseIndex, renderIndex } from '../../../src/repository/format/index-file.ts'
import { packSize, parseHeader, writeEntry } from '../../../src/repository/format/pack-header.ts'
import { type Sealer, createSealer } from '../../../src/repository/format/seal.ts'
import { parseSnapshot, renderSnapshot } from '../../../src/repository/format/snapshot-file.ts'
import { parseTree, renderTree } from '../../../src/repository/format/tree.ts'
import { decompress } from '../../../src/repository/format/zstd.ts'
import { openKeyFile, renderKeyFile } from '../../../src/repository/keys/key-file.ts'
import { vectors } from './vectors.ts'

describe.each(['v1', 'v2'] as const)('a repository made by restic, version %s', (version) => {
  const vector = vectors.repos[version]
  const file = (name: string): Buffer => Buffer.from(vector.files[name] ?? '', 'base64')
  const hex = (text: string): Buffer => Buffer.from(text, 'hex')
  const { encrypt_hex, k_hex, r_hex } = vector.master
  const sealer: Sealer = createSealer({ encrypt: hex(encrypt_hex), macK: hex(k_hex), macR: hex(r_hex) })
  const names = (folder: string): string[] => Object.keys(vector.files).filter((name) => name.startsWith(`${folder}/`))

  test('its key file opens with the password and with no other', async () => {
    const [name = ''] = names('keys')

    const master = await openKeyFile(file(name), vectors.password, name)
    const wrong = await openKeyFile(file(name), 'correct-house', name)

    expect(Buffer.from(master?.encrypt ?? []).toString('hex')).toBe(encrypt_hex)
    expect(wrong).toBeUndefined()
  })

  test('its config opens and prints the same again', () => {
    const plain = sealer.open(file('config'), 'config')

    expect(plain.toString()).toBe(vector.config.plaintext)
    expect(renderConfig(parseConfig(plain)).toString()).toBe(vector.config.plaintext)
  })

  test('its indexes and snapshots are read, and printed again byte by byte', () => {
    for (const name of names('index')) {
      const json = unwrapEnvelope(sealer.open(file(name), name), name)
      expect(json.toString()).toBe(vector.indexes[name.slice(6)])
      expect(renderIndex(parseIndex(json, name)).toString()).toBe(json.toString())
    }
    for (const name of names('snapshots')) {
      const json = unwrapEnvelope(sealer.open(file(name), name), name)
      expect(json.toString()).toBe(vector.snapshots[name.slice(10)])
      expect(renderSnapshot(parseSnapshot(json, name)).toString()).toBe(json.toString())
    }
  })

  test('its packs are read: header, entries, every blob and its hash', () => {
    for (const [id, expected] of Object.entries(vector.packs)) {
      const pack = file(`data/${id.slice(0, 2)}/${id}`)
      const sealedHeader = pack.readUInt32LE(pack.length - 4)
      const header = sealer.open(pack.subarray(pack.length - 4 - sealedHeader, pack.length - 4), id)
      const blobs = parseHeader(header, id)

      expect(sha256Hex(pack)).toBe(id)
      expect(header.toString('hex')).toBe(expected.header_plaintext_hex)
      const again = Buffer.alloc(header.length)
      blobs.reduce((at, blob) => writeEntry(again, at, { ...blob, id: hex(blob.id) }), 0)
      expect(again.toString('hex')).toBe(expected.header_plaintext_hex)
      expect(packSize(blobs)).toBe(pack.length)
      expect(renderIndex([{ id, header }]).toString()).toBe(renderIndex([{ id, blobs }]).toString())
      for (const blob of blobs) {
        const plain = sealer.open(pack.subarray(blob.offset, blob.offset + blob.length), blob.id)
        const raw = blob.uncompressedLength === undefined ? plain : decompress(plain, blob.uncompressedLength, blob.id)
        expect(sha256Hex(raw)).toBe(blob.id)
        if (blob.type === 'tree') expect(renderTree(parseTree(raw, blob.id)).toString()).toBe(raw.toString())
      }
    }
  })

  test('what we seal opens again, and a changed bit anywhere is found', () => {
    const sealed = sealer.seal(Buffer.from('to be kept'))

    expect(sealer.open(sealed, 'it').toString()).toBe('to be kept')
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed)
      changed[at] = (changed[at] ?? 0) ^ 4
      expect(() => sealer.open(changed, 'it')).toThrow(/tag does not fit/)
    }
  })
})

test('an envelope of version 2 compresses, of version 1 does not, and both read both', () => {
  const json = Buffer.from(`[${'1,'.repeat(500)}1]`)

  expect(wrapEnvelope(json, 2).length).toBeLessThan(100)
  expect(unwrapEnvelope(wrapEnvelope(json, 2), 'it')).toEqual(json)
  expect(unwrapEnvelope(wrapEnvelope(json, 1), 'it')).toEqual(json)
  expect(() => unwrapEnvelope(Buffer.of(7, 1), 'it')).toThrow(/kind 7/)
})

test('a key file made by us opens with its password, and hostile scrypt parameters are refused before they run', async () => {
  const key = { encrypt: Buffer.alloc(32, 1), macK: Buffer.alloc(16, 2), macR: Buffer.alloc(16, 3) }
  const options = { password: 'pässword', created: 0n, hostname: 'h', username: 'u', strength: 'random' } as const

  const json = await renderKeyFile(key, options)

  expect(await openKeyFile(json, 'pässword', 'it')).toEqual(key)
  for (const bad of [{ N: 1 << 30 }, { N: 1000 }, { r: 1 << 20 }, { p: 0 }, { kdf: 'none' }]) {
    const changed = Buffer.from(JSON.stringify({ ...(JSON.parse(json.toString()) as object), ...bad }))
    await expect(openKeyFile(changed, 'pässword', 'it')).rejects.toMatchObject({ code: 'REPOSITORY_UNSUPPORTED' })
  }
})
