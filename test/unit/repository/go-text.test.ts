import { fc } from '../../build/properties.ts'
import { expect, test } from 'vitest'
import { goModeOf, unixModeOf } from '../../../src/repository/format/file-mode.ts'
import { goJsonBytes, quoteName, unquoteName } from '../../../src/repository/format/go-bytes.ts'
import { parseTime, renderTime } from '../../../src/repository/format/go-time.ts'
import type { TreeNode } from '../../../src/repository/format/node.ts'
import { parseTree, renderTree } from '../../../src/repository/format/tree.ts'

const aName = fc
  .uint8Array({ minLength: 1, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 || byte === 0x2f ? 0x61 : byte))))
  .filter((name) => !['.', '..'].includes(name.toString()))

test.each([
  ['plain name.txt', 'plain name.txt'],
  ['a"b\\c', 'a\\"b\\\\c'],
  ['tab\tnew\nline', 'tab\\tnew\\nline'],
  ['\x01\x7f', '\\x01\\x7f'],
  ['ünïcödé 日本 🙂', 'ünïcödé 日本 🙂'],
  ['\u00a0\u200b\ufeff', '\\u00a0\\u200b\\ufeff'],
  ['\u{e0001}', '\\U000e0001'],
])('the name %j is quoted as Go quotes it', (name, quoted) => {
  expect(quoteName(Buffer.from(name))).toBe(quoted)
})

test('bytes that are no UTF-8 are kept one by one', () => {
  expect(quoteName(Buffer.of(0x61, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80))).toBe('a\\xff\\xc3(\\xed\\xa0\\x80')
  expect(goJsonBytes(Buffer.of(0x3c, 0xff, 0xc3, 0x28))).toBe('"\\u003c\\ufffd\\ufffd("')
})

test('any name comes back from its quotation', () => {
  fc.assert(
    fc.property(aName, (name) => {
      expect(unquoteName(quoteName(name))).toEqual(name)
    }),
  )
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(unquoteName(quoteName(Buffer.from(text)))).toEqual(Buffer.from(text))
    }),
  )
})

test('times print with nine digits at most and no zeros at the end', () => {
  expect(renderTime(1_767_323_045_120_000_000n)).toBe('2026-01-02T03:04:05.12Z')
  expect(renderTime(1_767_323_045_000_000_001n)).toBe('2026-01-02T03:04:05.000000001Z')
  expect(renderTime(-1n)).toBe('1969-12-31T23:59:59.999999999Z')
  expect(parseTime('2026-01-02T05:04:05.120000001+02:00')).toBe(1_767_323_045_120_000_001n)
  expect(parseTime('yesterday')).toBeUndefined()
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 18n), max: 10n ** 19n }), (nanos) => {
      expect(parseTime(renderTime(nanos))).toBe(nanos)
    }),
  )
})

test('modes go from chmod bits to those of Go and back', () => {
  expect(goModeOf('dir', 0o755)).toBe(2_147_484_141)
  expect(goModeOf('symlink', 0o777)).toBe(134_218_239)
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0o7777 }), fc.constantFrom('file', 'dir', 'chardev', 'fifo'), (mode, type) => {
      expect(unixModeOf(goModeOf(type as 'file', mode))).toBe(mode)
    }),
  )
})

test('a tree of any nodes is read back as it was, sorted by the bytes of the names', () => {
  const aNode: fc.Arbitrary<TreeNode> = fc.record({
    name: aName,
    type: fc.constant('symlink' as const),
    mode: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    mtime: fc.bigInt({ min: -(10n ** 18n), max: 10n ** 19n }),
    atime: fc.constant(0n),
    ctime: fc.constant(0n),
    uid: fc.nat(),
    gid: fc.nat(),
    inode: fc.bigInt({ min: 1n, max: 2n ** 64n - 1n }),
    linkTarget: fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
    extendedAttributes: fc.constant([{ name: 'user.<&>', value: Buffer.of(0, 255) }]),
    content: fc.constant(null),
  })
  const distinct = fc.uniqueArray(aNode, { selector: (node) => node.name.toString('hex'), maxLength: 8 })
  fc.assert(
    fc.property(distinct, (nodes) => {
      const read = parseTree(renderTree(nodes), 'it')
      expect(read).toEqual(nodes.toSorted((a, b) => Buffer.compare(a.name, b.name)))
    }),
  )
})

test.each(['..', '.', '', 'a/b', 'a\\x00'])('a tree with the name %j is refused', (name) => {
  const tree = Buffer.from(`{"nodes":[{"name":${JSON.stringify(name)},"type":"file"}]}`)

  expect(() => parseTree(tree, 'it')).toThrow(/cannot be the name/)
})
