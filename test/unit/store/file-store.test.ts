import { mkdtempSync, mkdirSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FileStore } from '../../../src/store/file-store.ts'
import { chunksOf, describeObjectStore, keysBelow } from '../../conformance/object-store.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-filestore-'))
  writeFileSync(join(folder, '.holdfast-filestore'), '')
  return folder
}

describeObjectStore('A folder', async () => {
  const folder = newFolder()
  return { store: new FileStore(folder), close: async () => rmSync(folder, { recursive: true }) }
})

describe('a filestore', () => {
  let folder: string
  let store: FileStore
  beforeEach(() => {
    folder = newFolder()
    store = new FileStore(folder)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('refuses a folder that nobody made a store, so nothing is written where a volume is not mounted', async () => {
    rmSync(join(folder, '.holdfast-filestore'))

    await expect(store.put('a', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_NO_BUCKET' })
    expect(readdirSync(folder)).toEqual([])
  })

  test('follows no link out of its folder, neither for reading nor for writing', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'holdfast-outside-'))
    writeFileSync(join(outside, 'secret'), 'secret')
    symlinkSync(outside, join(folder, 'way'))
    symlinkSync(join(outside, 'secret'), join(folder, 'file'))

    for (const key of ['way/secret', 'file']) {
      await expect(store.get(key)).rejects.toMatchObject({ code: 'STORE_DENIED' })
    }
    await expect(store.put('way/new', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_DENIED' })
    await expect(store.delete('way/secret')).rejects.toMatchObject({ code: 'STORE_DENIED' })
    expect(await keysBelow(store, '')).toEqual([])
    expect(readdirSync(outside)).toEqual(['secret'])
    rmSync(outside, { recursive: true })
  })

  test('leaves no folder behind when the last object in it is gone', async () => {
    await store.put('a/b/c', Buffer.from('x'))

    await store.delete('a/b/c')

    expect(readdirSync(folder).toSorted()).toEqual(['.holdfast-filestore', '.holdfast-growing'])
  })

  test('gives exactly one of many creators the name', async () => {
    const tries = Array.from({ length: 20 }, (_, index) => store.put('once', Buffer.from(`${index}`), { ifAbsent: true }))

    const settled = await Promise.allSettled(tries)

    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  test('says which keys no file can have', async () => {
    for (const key of ['a//b', 'a/', 'x'.repeat(300), '.holdfast-growing/x', '.holdfast-filestore']) {
      await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
    }
    await store.put('a', Buffer.from('x'))
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_BAD_KEY' })
  })

  test('lists in the order of keys, not of folders', async () => {
    for (const key of ['a/b', 'a.txt', 'a-b', 'ü', 'b']) await store.put(key, Buffer.from('x'))

    expect(await keysBelow(store, '')).toEqual(['a-b', 'a.txt', 'a/b', 'b', 'ü'])
  })

  test('removes what a killed process left half written, and not what still grows', async () => {
    const growing = join(folder, '.holdfast-growing')
    mkdirSync(growing)
    for (const name of ['old', 'new']) writeFileSync(join(growing, name), 'half')
    utimesSync(join(growing, 'old'), new Date(1000), new Date(1000))

    expect(await store.removeAbandoned(2000_000)).toBe(1)

    expect(readdirSync(growing)).toEqual(['new'])
  })

  test('keeps what it had when the disk is full', async () => {
    const error = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    await store.put('k', Buffer.from('older'))
    const full = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(10)
      throw error
    }

    await expect(store.putStream('k', full())).rejects.toBe(error)

    expect(Buffer.from(await store.get('k')).toString()).toBe('older')
    await store.putStream('k2', chunksOf([Buffer.from('x')]))
    expect(readdirSync(join(folder, '.holdfast-growing'))).toEqual([])
  })
})
