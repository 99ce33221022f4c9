import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseTree } from '../../../src/repository/format/tree.ts'
import type { FileContent } from '../../../src/repository/pipeline/file-assembly.ts'
import { type NodeDraft, TreeBuilder } from '../../../src/repository/tree-builder.ts'
import { splitPath } from '../../../src/repository/tree-path.ts'
import { fc } from '../../build/properties.ts'

const draft: NodeDraft = { type: 'file', mode: 0o644, mtime: 1n, atime: 1n, ctime: 1n, uid: 1, gid: 1 }
const directory: NodeDraft = { ...draft, type: 'dir' }

/** Content that is known only after some later entries were added, as that of a real backup. */
function later(mark: string): Promise<FileContent> {
  return new Promise((resolve) => setImmediate(() => resolve({ ids: [idOf(mark)], sizeBytes: mark.length })))
}

function idOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Saves the trees and lists what they hold: path to id of the content, and how many names the file has. */
async function savedBy(
  builder: TreeBuilder,
): Promise<{ files: Map<string, string>; links: Map<string, number>; dirCount: number }> {
  const trees = new Map<string, Uint8Array>()
  const { tree, dirCount } = await builder.save((bytes) => {
    const id = idOf(bytes)
    trees.set(id, bytes)
    return Promise.resolve(id)
  })
  const files = new Map<string, string>()
  const links = new Map<string, number>()
  const walk = (id: string, above: string): void => {
    for (const node of parseTree(trees.get(id) ?? Buffer.alloc(0), id)) {
      const path = `${above}/${node.name.toString()}`
      if (node.type === 'dir') {
        files.set(path, 'dir')
        walk(node.subtree ?? '', path)
      } else {
        files.set(path, node.content?.[0] ?? '')
        links.set(path, node.links ?? 1)
      }
    }
  }
  walk(tree, '')
  return { files, links, dirCount }
}

test('a thousand files of one directory and two hundred directories are all there, whatever was folded meanwhile', async () => {
  const builder = new TreeBuilder(1n)
  const expected = new Map<string, string>()
  const add = (path: string): void => {
    expected.set(path, idOf(path))
    builder.addNode(splitPath(path), draft, later(path))
  }
  for (let i = 0; i < 1000; i++) {
    add(`/flat/file-${i} "ü\\\n`)
    if (i % 100 === 0) await later('')
  }
  for (let i = 0; i < 200; i++) for (const name of ['a', 'b']) add(`/many/${i}/${name}`)
  await later('')
  add('/flat/late')

  const { files, dirCount } = await savedBy(builder)

  expect(new Map([...files].filter(([, id]) => id !== 'dir'))).toEqual(expected)
  expect(dirCount).toBe(202)
})

test('files whose content comes in only while the trees are saved are all there', async () => {
  const builder = new TreeBuilder(1n)
  const paths = Array.from({ length: 1000 }, (_, i) => (i % 2 === 0 ? `/flat/${i}` : `/many/${i >> 2}/${i}`))
  const arrivals = paths.map((path) => {
    const { promise, resolve } = Promise.withResolvers<FileContent>()
    builder.addNode(splitPath(path), draft, promise)
    return () => resolve({ ids: [idOf(path)], sizeBytes: 1 })
  })

  const saving = savedBy(builder)
  // In batches, as the threads report them.
  while (arrivals.length > 0) {
    await later('')
    for (const arrive of arrivals.splice(0, 64)) arrive()
  }
  const { files } = await saving

  expect(new Map([...files].filter(([, id]) => id !== 'dir'))).toEqual(new Map(paths.map((path) => [path, idOf(path)])))
})

test('a file that was folded can have a second name, be replaced, and become a directory', async () => {
  const builder = new TreeBuilder(1n)
  const add = (path: string, mark = path): void => builder.addNode(splitPath(path), draft, later(mark))
  for (let i = 0; i < 300; i++) add(`/d/${i}`)
  for (let i = 0; i < 100; i++) add(`/other/${i}/x`)
  await later('')

  builder.addLink(splitPath('/links/seven'), splitPath('/d/7'))
  add('/d/8', 'new')
  add('/d/9/inside')
  builder.addLink(splitPath('/links/eight'), splitPath('/d/8'))
  // Folded after a link has asked for a name of this directory.
  add('/d/10', 'newer')
  for (let i = 300; i < 600; i++) add(`/d/${i}`)
  await later('')
  for (const i of [10, 11, 400]) builder.addLink(splitPath(`/links/${i}`), splitPath(`/d/${i}`))
  const { files, links } = await savedBy(builder)

  expect([10, 11, 400].map((i) => files.get(`/links/${i}`))).toEqual(['newer', '/d/11', '/d/400'].map(idOf))

  expect(files.get('/links/seven')).toBe(idOf('/d/7'))
  expect([links.get('/d/7'), links.get('/links/seven'), links.get('/d/6')]).toEqual([2, 2, 1])
  expect([files.get('/d/8'), files.get('/links/eight')]).toEqual([idOf('new'), idOf('new')])
  expect([files.get('/d/9'), files.get('/d/9/inside')]).toEqual(['dir', idOf('/d/9/inside')])
  expect(() => builder.addLink(splitPath('/l'), splitPath('/d/none'))).toThrow('which is not in it before')
})

test('entries in any order make the tree that unpacking them would make', async () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((names) => `/${names.join('/')}`)
  const entry = fc.record({ path, kind: fc.constantFrom('file', 'file', 'dir', 'rest'), mark: fc.string({ maxLength: 4 }) })
  await fc.assert(
    fc.asyncProperty(fc.array(entry, { maxLength: 40 }), async (entries) => {
      const builder = new TreeBuilder(1n)
      const model = new Map<string, string>()
      for (const { path: at, kind, mark } of entries) {
        // Files elsewhere, so many that what came before is folded.
        if (kind === 'rest') for (let i = 0; i < 70; i++) builder.addNode(splitPath(`/rest-${i}/x`), draft)
        else if (kind === 'dir') builder.addDirectory(splitPath(at), directory)
        else builder.addNode(splitPath(at), draft, later(mark))
        if (kind === 'rest') await later('')
        else put(model, at, kind === 'dir' ? 'dir' : idOf(mark))
      }
      const { files } = await savedBy(builder)
      expect(new Map([...files].filter(([at]) => !at.startsWith('/rest-')))).toEqual(model)
    }),
    { numRuns: 60 },
  )
})

function put(model: Map<string, string>, path: string, value: string): void {
  const names = path.slice(1).split('/')
  for (let depth = 1; depth < names.length; depth++) {
    const above = `/${names.slice(0, depth).join('/')}`
    if (model.get(above) !== 'dir') model.set(above, 'dir')
  }
  // A file takes the place of a directory with all that is in it; a directory keeps what is there.
  if (value !== 'dir') for (const at of [...model.keys()]) if (at.startsWith(`${path}/`)) model.delete(at)
  model.set(path, value)
}
