import { HoldfastError } from '../base/errors.ts'
import { type RepositoryFiles, markFolder } from './files.ts'
import { type Id, shortId } from './format/ids.ts'
import { type HoldersFile, type MarkFile, parseMark, renderMark } from './format/mark-file.ts'

export interface Mark extends MarkFile {
  readonly id: Id
  /** Who must be gone first; undefined when the maker of the mark died before it asked for them. */
  readonly holders: readonly string[] | undefined
  /** All files of the mark, its own first. */
  readonly files: readonly Id[]
}

/**
 * Marks of a repository. A mark is one file that stays as it is until it is swept, so that whoever lists sees it; the holders stand in a second
 * file. One that goes while we read was swept; what it named is in no index any more.
 */
export async function loadMarks(files: RepositoryFiles, signal?: AbortSignal): Promise<Mark[]> {
  const found = new Map<Id, MarkFile | HoldersFile>()
  for (const { id } of await files.list(markFolder, signal)) {
    try {
      found.set(id, parseMark(await files.load(markFolder, id, signal), `${markFolder}/${shortId(id)}`))
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'STORE_NOT_FOUND') throw error
    }
  }
  return [...found].flatMap(([id, file]) => {
    if (!('packs' in file)) return []
    const others = [...found].flatMap(([otherId, other]) => ('of' in other && other.of === id ? [{ otherId, other }] : []))
    return [{ id, ...file, holders: others[0]?.other.holders, files: [id, ...others.map(({ otherId }) => otherId)] }]
  })
}

export async function saveMark(files: RepositoryFiles, file: MarkFile | HoldersFile, signal: AbortSignal): Promise<Id> {
  return files.save(markFolder, renderMark(file), signal)
}

/** The mark itself goes first: files of holders without it mean nothing. */
export async function removeMark(files: RepositoryFiles, mark: Mark, signal: AbortSignal): Promise<void> {
  for (const id of mark.files) await files.remove(markFolder, id, signal)
}

/** To be called under an exclusive lock: nobody is at work who takes anything for marked. */
export async function removeAllMarks(files: RepositoryFiles, signal: AbortSignal): Promise<void> {
  for (const { id } of await files.list(markFolder, signal)) await files.remove(markFolder, id, signal)
}
