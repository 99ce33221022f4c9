import { expect, test } from 'vitest'
import type { RepositoryFiles } from '../../../src/repository/files.ts'
import { LoadedIndex } from '../../../src/repository/loaded-index.ts'

/** A repository without files, whose first answer takes as long as the test wants. */
function emptyFiles(): { readonly files: RepositoryFiles; readonly listed: string[]; readonly answer: () => void } {
  const listed: string[] = []
  const gate = Promise.withResolvers<void>()
  const none = (): Promise<never> => Promise.reject(new Error('nothing is there'))
  const list = async (kind: string): Promise<[]> => {
    listed.push(kind)
    await gate.promise
    return []
  }
  return { files: { list, load: none, save: none, remove: none, loadAll: async () => [] }, listed, answer: gate.resolve }
}

test('the index is read by one at a time, also behind somebody who gave up waiting', async () => {
  const { files, listed, answer } = emptyFiles()
  const index = new LoadedIndex(files)
  const first = index.refresh()
  const impatient = index.refresh(AbortSignal.abort(new Error('given up')))
  await expect(impatient).rejects.toThrow('given up')
  const third = index.refresh()
  await new Promise(setImmediate)

  expect(listed).toHaveLength(1)

  answer()
  await Promise.all([first, third])
  expect(listed).toHaveLength(4)
})
