import { randomUUID } from 'node:crypto'
import { mkdir, open, realpath, rmdir, stat } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { storeError } from '../errors.ts'
import { checkKey } from '../key.ts'
import { translateFileError } from './translate-error.ts'

/**
 * A folder is a store once somebody put this file there. A mount point without its volume has none, so nothing is ever written beside
 * the volume.
 */
export const markName = '.holdfast-filestore'
/** Where files grow until they are whole: in the same file system, so that they can be renamed into place. */
export const growingName = '.holdfast-growing'

const longestNameBytes = 255

/** Where the objects of one folder are, and that none of them is elsewhere. */
export class StoreFolder {
  readonly root: string
  readonly description: string
  readonly #mark: string
  #checked: Promise<string> | undefined

  /** `marked: false` takes any folder that is there: for a person who named it. */
  constructor(root: string, { marked = true }: { readonly marked?: boolean } = {}) {
    this.root = root
    this.description = `${marked ? 'filestore' : 'folder'} ${root}`
    this.#mark = marked ? join(root, markName) : root
  }

  /** The folder by its real name; STORE_NO_BUCKET when it is not a store. Asked once, again after a failure. */
  async open(): Promise<string> {
    this.#checked ??= checkFolder(this.root, this.#mark).catch((error: unknown) => {
      this.#checked = undefined
      throw error
    })
    return this.#checked
  }

  /** The file of a key. No symbolic link on the way may lead out of the folder. */
  async fileOf(key: string): Promise<string> {
    this.check(key)
    const root = await this.open()
    const file = join(root, key)
    await refuseEscape(root, dirname(file))
    return file
  }

  check(key: string): void {
    checkKey(key)
    const segments = key.split('/')
    const why = segments.includes('')
      ? 'has an empty segment'
      : segments.some((name) => Buffer.byteLength(name) > longestNameBytes)
        ? `has a segment of more than ${longestNameBytes} bytes`
        : segments[0] === markName || segments[0] === growingName
          ? 'begins with a name that the filestore uses itself'
          : undefined
    if (why !== undefined) throw storeError('STORE_BAD_KEY', `object key "${key}" ${why}: ${this.description} cannot hold it`)
  }

  async newGrowingFile(): Promise<string> {
    const folder = join(await this.open(), growingName)
    await mkdir(folder, { recursive: true })
    return join(folder, randomUUID())
  }

  /** Makes the folders above a file, each known to the disk before anything is put into it. */
  async makeParents(file: string): Promise<void> {
    const root = await this.open()
    const first = await mkdir(dirname(file), { recursive: true })
    if (first === undefined) return
    for (let made = dirname(file); made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made))
    await refuseEscape(root, dirname(file))
  }

  /** Takes away the folders above a file that became empty, as an object store shows none. */
  async removeEmptyParents(file: string): Promise<void> {
    const root = await this.open()
    for (let folder = dirname(file); folder.length > root.length; folder = dirname(folder)) {
      try {
        await rmdir(folder)
      } catch {
        // Not empty, or another one was faster: both end the walk.
        return
      }
    }
  }

  translate(error: unknown, what: string): unknown {
    return translateFileError(error, what, this.description)
  }
}

/** A rename or a new folder is on the disk only when the folder that holds it is. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some file systems (SMB, FUSE) know no sync of folders; what they promise is all there is.
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EBADF') throw error
  } finally {
    await handle.close()
  }
}

async function checkFolder(root: string, mark: string): Promise<string> {
  try {
    await stat(mark)
    return await realpath(root)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw translateFileError(error, 'opening', `filestore ${root}`)
    if (mark === root) throw storeError('STORE_NO_BUCKET', `folder ${root} does not exist`, { cause: error })
    throw storeError(
      'STORE_NO_BUCKET',
      `folder ${root} is not a filestore: it lacks the file ${markName}. Mount the volume there; on a new volume, make that file once`,
      { cause: error },
    )
  }
}

/** The nearest folder that exists must lie in the store, whatever links there are. */
async function refuseEscape(root: string, folder: string): Promise<void> {
  for (let at = folder; at.length > root.length; at = dirname(at)) {
    let real: string
    try {
      real = await realpath(at)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw error
    }
    if (real === root || real.startsWith(`${root}${sep}`)) return
    throw storeError('STORE_DENIED', `folder ${at} of filestore ${root} is a link that leads out of it: remove the link`)
  }
}
